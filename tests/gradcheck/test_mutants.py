"""Changes by chance in the right backward passes of the students' files: `tinynorm check` calls none of them right.

``python tests/gradcheck/mutants.py`` makes more of them, of any files.
"""

from collections import Counter

import pytest
from mutants import survivors
from test_students import HOME, title

FILES = sorted(HOME.glob("*.py"))
EACH = 2  # mutants of each pair: a thousand in all
# What is right in one of the ways to read the file, by the pair.
ACCEPTED = {
    "engine_dropout.py: dropout": "it has no operation of two tensors: no tensor is used twice",
    "net_lists_by_number.py: compute_cost": "it is right with one sample, which is drawn as several are no longer taken",
    "class_dense_scratch_losses.py: Loss_MeanSquaredError": "forward returns a loss for each sample: it leaves open their sum",
    "class_targets_by_their_use.py: SigmoidCrossEntropy": "the class has no loss: the samples may lie in columns",
    "class_last_of_outputs.py: ManyToOne": "dout may be the gradient of the first of two outputs",
    "class_made_so_that_it_shows.py: Clipping": "nothing says at what its gradients are cut off",
    "class_weight_decay.py: Lasso": "without its penalty",
    "class_weight_decay.py: Elastic": "without its penalty",
    "net_steps_in_file.py: forward_pass": "it is the loss that backward hands back, beside its steps",
    "fn_other_conventions.py: one_hot_embed": "for two vectors",
    "net_all_in_one_function.py: epoch_of_softmax": "without its rate and 1/m: a step along the gradient of the sum",
    "net_all_in_one_function.py: logistic_fit": "where nothing steps b, it is no parameter",
    "net_steps_of_other_kinds.py: factors": "the elements that count are others in its loss too",
    "class_fit_and_scale.py: MLP.fit": "where nothing steps b1, it is no parameter",
    "class_fits.py: InParts.fit": "where forward reads no bias, a step of it that names no rate is none",
    "net_char_rnn.py: CharRNN": "forward is in the same method: without the letters it is another network",
}


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=title)
def test_no_mutant_is_right(path):
    said = list(survivors(path, EACH, 0, Counter()))
    assert not [line for line in said if line.partition(": line ")[0] not in ACCEPTED]
