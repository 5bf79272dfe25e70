"""A path that a command is given, as click's type for it."""

import click


class OutsidePath(click.Path):
    """A path as `path_from_outside` makes it: absolute, `~` as the home folder, no pipe and no device."""

    def convert(self, value, parameter, context):
        from helpers.arguments import path_from_outside  # when it is needed: --help is there at once

        try:
            return super().convert(path_from_outside(value), parameter, context)
        except ValueError as error:
            self.fail(str(error), parameter, context)
