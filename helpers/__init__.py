"""What the notebooks teach, as code to import; later steps import it from here.

| step | names | module |
|---|---|---|
| 1 data | `read_corpus` | `corpus` |
| | `Vocab`, `keep_probability`, `noise_probability`, `Minibatches` | `examples` |
| | `load_data` | `model_pytorch`, `model_mxnet`: the same names with the same signatures |
| 2 embedding layer | `initial_tables` | `examples` |
| 3 skip-gram | `skip_gram` | `model_*` |
| 4 loss | `batch_loss`, `SigmoidBCELoss` | `model_*` |
| | `blind_loss`, `frequency_loss` | `training` |
| 5 training | `new_model`, `train_batch`, `train` | `model_*` |
| | `History`, the record of a training | `training` |
| 6 similarity | `get_similar_tokens` | `model_*` |
| | `keep_vectors`, `find_vectors`, `nearest`, `map_in_frames` | `vectors` |

`arguments` refuses what can't serve, `figures` shows what `drawings` draws. Later steps add what is in `beyond`, `exercises`
checks answers, and `tools` holds the commands. A module imports only those before it: arguments, figures, drawings, corpus,
examples, training, model_*, vectors; then `beyond`, `exercises`, `tools` (for a text of one's own `read_corpus` asks
`beyond.texts`, and for its words `figures` asks `beyond.lettering`). This package imports nothing by itself.
"""
