"""What the notebooks teach, as code to import. Each step writes its part out; later steps import it from here.

1. data: `examples` (vocabulary, subsampling, windows, noise words, minibatches), and `load_data` of the model modules
2. embedding layer: `examples.initial_tables`
3. skip-gram: `skip_gram`
4. loss: `SigmoidBCELoss`, `batch_loss`, and the means and the yardstick in `history`
5. training: `new_model`, `losses_and_slopes`, `loss_and_gradients`, `train_batch`, `held_out_loss`, `train`,
   `get_state` and `set_state` (what a checkpoint must hold)
6. similarity: `get_similar_tokens`
7. speed: `blocks` (reach, weights and layout of blocks, word2vec's initial values), `train_piece`, `block_totals`,
   `held_out_block_loss`, `train_pieces`, `joined_tables`, `block_checkpoint`, `train_blocks`

`model_pytorch` and `model_mxnet` have the same names with the same signatures. Beside the lesson: `corpus` reads texts,
`vector_files` vectors, which `vectors` asks and `evaluation` judges; `figures` draws; `arguments`, `parameters` and `files` check
and write; `checkpoints` keeps trainings that may be stopped; `processes` runs PyTorch's workers and `selections` picks rows for
MXNet; `explorer` asks with widgets; `exercises` holds them; `prepared` reads texts that are larger than memory, which `scale`
makes, and trains on in several ranks. `check_environment`, `course`, `scale.prepare`, `scale.train`, `sweep`, `twins` and `vectors`
are commands. This package imports nothing by itself.
"""
