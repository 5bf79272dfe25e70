"""What the notebooks teach, as code to import. Each step writes its part out; later steps import it from here.

1. data: `corpus` (texts), `examples` (vocabulary, subsampling, windows, noise words, minibatches), `load_data` of the model modules
2. embedding layer: `examples.initial_tables`
3. skip-gram: `skip_gram`
4. loss: `SigmoidBCELoss`, `batch_loss`, and the means and the yardsticks in `training`
5. training: `new_model`, `train_batch`, `held_out_loss`, `train`, and `training.History`, its record
6. similarity: `get_similar_tokens`, and `vectors`: cosines, neighbors, a map

`model_pytorch` and `model_mxnet` have the same names with the same signatures. `figures` draws, and `exercises` holds the exercises of all
steps. What later steps add is in `beyond`: gradients by hand (7), blocks (8), checkpoints and resuming (13), with `processes` for
PyTorch's workers and `selections` for MXNet's rows; beside it `evaluation` and `explorer` (12), `sweep` (9), and `scale` and `prepared`
(14). `vector_files` reads and writes vectors; `arguments`, `parameters` and `files` check and write. `environment`, `course`,
`scale.prepare`, `scale.train`, `sweep`, `twins` and `vectors` are commands. This package imports nothing by itself.
"""
