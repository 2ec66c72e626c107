"""“Claims checked” on Translate, and the tables beside it: numbers of the right network, and words that fit them."""

import re

import numpy as np
import pytest
from screen import visit, well

from model import Experiment, Switches, checkpoint
from model.analysis.ablation import HeldOutScores, evaluate_held_out
from model.generation.decoding import Decoding
from viz.captions.claims import (
    describe_cross_attention,
    describe_decoder_layer,
    describe_decoding,
    describe_determined,
    describe_nouns_attended,
    describe_one_vector,
    describe_pronouns,
)
from viz.captions.training import AnswerHead, Claim, Levels, Outcome, describe_training
from viz.captions.training_history import Role, describe_kept_steps, describe_training_history
from viz.captions.training_views import describe_gradient_by_depth, describe_schedules, describe_smoothness
from viz.pages.remove import summary
from viz.pages.translate import claims as translate_claims
from viz.pages.translate import compute as translate_compute
from viz.pages.translate.decoded import decode

SOURCE = translate_compute.TRANSLATE_TASKS["Translation"].example


def experiment(*off, weights="translate"):
    return decode(Experiment(weights, SOURCE, Switches().without(*off)), Decoding())


def test_one_vector_and_attention_each_have_the_numbers_of_their_own_card():
    sentence = translate_claims._one_vector()
    alone, looking = (checkpoint.read_card(name)["lengths"] for name in ("copy-gru", "copy-gru-attention"))
    assert alone["16"] < looking["16"]

    def shares(lengths):
        return ", ".join(f"{100 * lengths[n]:.0f}" for n in ("4", "8", "12", "16"))

    assert f"4, 8, 12, 16 symbols from one vector gets {shares(alone)} % right" in sentence
    assert f"A GRU with attention gets {shares(looking)} %" in sentence
    assert sentence.startswith("**One vector is not enough.**")


def test_one_vector_is_said_to_be_too_little_only_where_it_is():
    def sentence(alone, looking):
        return describe_one_vector((4, 8), alone, looking, 500)

    assert sentence([1, 0.1], [1, 0.9]).startswith("**One vector is not enough.**")
    assert sentence([1, 0.9], [1, 0.8]).startswith("**One vector is enough here.**")
    assert sentence([1, 0.1], [1, 0.2]).startswith("**These numbers do not decide whether one vector is enough.**")
    assert sentence([1, 0.9], [1, 0.95]).startswith("**These numbers do not decide whether one vector is enough.**")
    assert "4, 8 symbols from one vector gets 100, 10 % right. A GRU with attention gets 100, 90 % right." in sentence(
        [1, 0.1], [1, 0.9]
    )
    assert "with 500 texts of each length" in sentence([1, 0.1], [1, 0.9])


def test_a_context_of_its_own_is_claimed_by_the_nouns_of_the_card():
    assert describe_nouns_attended("the mean", 0.98).startswith("**Each word has a context of its own.** For 98 %")
    assert "98 % of the nouns, the mean gives its largest weight to the correct source word" in describe_nouns_attended(
        "the mean", 0.98
    )
    assert describe_nouns_attended("the mean", 0.2).startswith("**A context of its own need not be the right one.**")
    assert describe_pronouns(0.57, 0.86, 0).startswith(
        " The same holds for the pronouns il and elle: the best layer gives its largest weight to the noun that they "
        "refer to in 57 % of cases."
    )
    assert "Moreover, layer 0 gives its largest weight to the adjective in 86 % of cases." in describe_pronouns(
        0.57, 0.86, 0
    )
    assert "adjective" not in describe_pronouns(0.9, 0.2, 0)
    lower = describe_pronouns(0.0, 0.95, 0)
    assert (
        "does not hold" in lower
        and "in 0 % of cases. Instead, layer 0 gives its largest weight to the adjective in 95 % of cases" in lower
    )
    neither = describe_pronouns(0.1, 0.24, 0)
    assert (
        "does not hold" in neither
        and "in 10 % of cases, and layer 0 gives its largest weight to the adjective in 24 % of cases" in neither
    )
    assert "In 36 % of these cases its largest weight is on the gold source word." in describe_determined(0.36)


@pytest.mark.parametrize(
    ("weights", "which"),
    [("translate", "the mean of layer 1's heads"), ("translate-gru-attention", "the only head of the model")],
)
def test_the_look_that_the_card_speaks_of_is_named(weights, which):
    sentence = translate_claims._own_context(experiment(weights=weights))
    best = checkpoint.read_card(weights)["alignment"]["noun"]["top1"]
    assert (
        f"For {100 * max(layer[-1] for layer in best):.0f} % of the nouns, {which} gives its largest weight to the "
        "correct" in sentence
    )


def test_cross_attention_is_the_same_operation_only_where_its_weights_are():
    assert "is the same operation" in describe_cross_attention(16, 15, 0.0) and describe_cross_attention(
        16, 15, 0.0
    ).endswith("to the last bit.")
    assert describe_cross_attention(1, 1, 5e-7).endswith("in every head of every layer, to within 5·10⁻⁷.")
    assert (
        "1 query comes from the decoder, and 1 key with its value comes from the encoder."
        in describe_cross_attention(1, 1, 0.0)
    )
    other = describe_cross_attention(16, 15, 0.3)
    assert "is not the same operation here" in other and "differ by up to 0.30" in other
    assert "is not the same operation here" in describe_cross_attention(16, 15, float("nan"))


def test_the_layer_is_told_by_the_parts_that_are_there():
    whole = describe_decoder_layer(0.0, masked=True, feeds_forward=True)
    assert (
        "has three parts**: masked self-attention over the target, cross-attention to the source, and the feed-forward"
        in whole
    )
    assert whole.endswith("In self-attention, later words have weight exactly 0.")
    unmasked = describe_decoder_layer(0.9, masked=False, feeds_forward=True)
    assert "masked self-attention" not in unmasked
    assert unmasked.endswith("The mask is removed, so in self-attention a later word has a weight of up to 0.90.")
    assert describe_decoder_layer(0.0, masked=False, feeds_forward=True).endswith("no word attends to a later one.")
    assert "although the mask is there" in describe_decoder_layer(0.1, masked=True, feeds_forward=True)
    averaged = describe_decoder_layer(0.0, masked=True, feeds_forward=False)
    assert "are left**: masked self-attention over the target and cross-attention to the source" in averaged
    assert "feed-forward" not in averaged


def test_word_by_word_is_the_same_as_one_pass_only_where_ln_p_is():
    def sentence(apart, **more):
        return describe_decoding(
            **({"tokens": 3, "each": "word", "apart": apart, "ended": True, "attends_ahead": False} | more)
        )

    assert sentence(1e-7).startswith(
        "**Decoding goes word by word.** 2 words and the end token were generated one after another."
    )
    assert (
        "finished sentence gives them the same ln p, to within 1·10⁻⁷. The model ended the sentence itself."
        in sentence(1e-7)
    )
    assert "gives them the same ln p, to the last bit." in sentence(0.0)
    cut = sentence(1e-7, tokens=1, ended=False, each="token")
    assert (
        "1 token was generated." in cut and "gives it the same ln p" in cut and "did not end the sentence itself" in cut
    )
    ahead = sentence(15.3, attends_ahead=True)
    assert "one pass is not the same here" in ahead and "differs by up to 15.3" in ahead and "Without the mask" in ahead
    assert "do not read the same words" in sentence(15.3) and "Without the mask" not in sentence(15.3)
    assert "not numbers" in sentence(float("nan"))


def test_with_the_mask_off_no_claim_contradicts_its_number():
    whole, off = experiment(), experiment("mask")
    cross, layer = translate_claims._cross(whole)
    assert "is the same operation" in cross and layer.endswith("later words have weight exactly 0.")
    assert "gives them the same ln p" in translate_claims._one_word_at_a_time(whole)
    _, layer = translate_claims._cross(off)
    future = np.triu(off.maps["target"], 1).max()
    assert future > 0.1 and layer.endswith(f"a later word has a weight of up to {future:.2f}.")
    sentence = translate_claims._one_word_at_a_time(off)
    assert "Without the mask, a word of the finished sentence attends to later ones" in sentence
    assert "one pass is not the same here" in sentence and float(re.search(r"by up to (\d+\.\d+)", sentence)[1]) > 1
    assert "Two of the three" in translate_claims._cross(experiment("mlp"))[1]


# Remove a part: the table of right answers


def test_right_answers_of_a_stand_under_a_and_those_of_b_under_b():
    a = HeldOutScores(4, 1.0, {"verb": 0.9, "noun": 0.8, "noun, far": 0.7}, {"verb": 10, "noun": 20, "noun, far": 30})
    b = HeldOutScores(4, 2.0, {"verb": 0.1, "noun": 0.2, "noun, far": 0.3}, {"verb": 10, "noun": 20, "noun, far": 30})
    table = summary._right_answers(a, b)
    heads = re.findall(r"<th>(.*?)</th>", table)
    assert heads == ["right answers", "A", "B", "of", "and", "A", "B", "of"]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", table)]
    assert rows == [["verb", "90 %", "10 %", "10"], ["noun", "80 %", "20 %", "20"], ["noun, far", "70 %", "30 %", "30"]]


def test_the_page_gives_right_answers_and_losses_of_the_whole_model_to_a_and_of_the_other_to_b():
    table = next(
        html.proto.body
        for html in well(visit("viz/pages/remove/page.py", norm="false")).get("html")
        if 'class="strip"' in html.proto.body
    )
    a, b = (evaluate_held_out("grammar", switches) for switches in (Switches(), Switches(norm=False)))
    assert a.accuracy != b.accuracy
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", table)]
    assert {row[0]: row[1:] for row in rows} == {
        name: [f"{100 * a.accuracy[name]:.0f} %", f"{100 * b.accuracy[name]:.0f} %", str(a.n[name])]
        for name in a.accuracy
    }
    assert f'<div class="value">{b.loss:.2f}</div><div class="beside">A {a.loss:.2f}</div>' in table


GUESSING = Levels(1 / 16, 2.77, 0.0)
LANGUAGE = Levels(1 / 12, 2.48, 1.1)


def training(a, b, claim=None, levels=GUESSING):
    return describe_training(Outcome(*a), Outcome(*b), levels, 200, claim)


def test_a_training_is_judged_by_its_own_numbers():
    good, bad = ("with it", 200, 0.01, 0.98), ("without it", 200, 2.1, 0.2)
    shown = training(good, bad, Claim("residual"))
    assert "A (with it) is right for **98%**, B (without it) is right for **20%**" in shown
    assert "guessing is right for 6%" in shown and shown.endswith(
        "a deep model needs residual connections. This run shows it."
    )
    assert training(good, ("without it", 200, 0.01, 0.97), Claim("residual")).endswith("This run does not show it.")
    assert training(bad, good, Claim("residual")).endswith("This run shows the opposite of that.")
    assert training(bad, good, Claim("residual", "A")).endswith("This run shows it.")


def test_a_training_that_has_not_ended_is_not_judged():
    begun = training(("with it", 40, 1.0, 0.9), ("without it", 40, 2.1, 0.2), Claim("residual"))
    assert begun.startswith("After 40 of 200 steps") and "Textbooks" not in begun
    goes_on = describe_training(Outcome("", 0, 2.8, 0.1), Outcome("", 0, 2.8, 0.1), GUESSING, 200, rests=False)
    assert goes_on.startswith("A and B are learning") and not re.search(r"\d", goes_on)
    assert training(("", 0, 2.8, 0.1), ("", 0, 2.8, 0.1)).startswith("Neither model is trained yet.")


def test_several_seeds_are_counted():
    a = Outcome("with it", 200, 0.01, 0.98, others=(0.97, 0.30))
    b = Outcome("without it", 200, 2.1, 0.20, others=(0.10, 0.28))
    shown = describe_training(a, b, GUESSING, 200, Claim("residual"))
    assert "**98%** (30% to 98% over 3 seeds)" in shown
    assert shown.endswith("2 of 3 seeds show it; 0 of 3 seeds show the opposite.")
    assert describe_training(a, b, GUESSING, 200).endswith(
        "A is better by more than 5 percentage points with 2 of 3 seeds, B with 0 of 3 seeds."
    )


def test_the_head_that_finds_the_answer_is_named_only_where_there_is_one():
    a, b = ("with it", 200, 0.01, 0.98), Outcome("without it", 200, 2.1, 0.2)
    role = describe_training(Outcome(*a, role=AnswerHead(1, 3, 60)), b, GUESSING, 200)
    assert "From step 60 on, layer 1 head 3 of A gives at least half of its weight" in role
    assert "No head of B does." in role and "the answer" not in describe_training(Outcome(*a), b, GUESSING, 200)


def test_the_schedule_of_the_paper_has_two_regimes_unless_the_warm_up_is_longer_than_the_run():
    both = describe_schedules(100, 64, 200, 3e-3, "cosine")
    assert "until step 100 and then falls with 1/√step" in both and "**0.013**" in both and "“cosine”" in both
    assert "steps of warm-up it is 0.0007." in both
    rise = describe_schedules(300, 64, 200, 3e-3, "Vaswani 2017")
    assert "in all 200 steps" in rise and rise.endswith("Model A uses equation 3.")


def test_the_gradient_of_untrained_models_is_compared_with_that_of_one_layer():
    def shown(depth):
        layers = {"pre": np.array([1.0, 0.5]), "post": np.array([1.0, 1.0])}
        return describe_gradient_by_depth([1, 7, 24], {"no norm": np.array([0.1, 0.05, 1e-11])}, layers, depth)

    assert "no norm: 1.0·10⁻¹⁰" in shown(24) and "of 24 layers, divided by that of a model of 1 layer" in shown(24)
    assert "no norm: 0.5." in shown(7) and "In a model of 7 layers, the gradient of the last" in shown(7)
    assert "is 1 times that of the first with post-norm, and 0.5 times with pre-norm" in shown(24)
    assert "of a model of 1 layer has these norms: no norm: 0.1." in shown(1) and "last layer" not in shown(1)


def test_batch_norm_is_the_smoothest_only_where_its_gradient_changes_least():
    def shown(layer, batch):
        by_norm = {
            "layer norm": (np.array([0.1, 0.3]), np.array([layer])),
            "batch norm": (np.array([0.2]), np.array([batch])),
        }
        return describe_smoothness(by_norm)

    assert "this run shows the smoothest gradient with batch norm" in shown(2.0, 1.0)
    assert "this run does not show the smoothest gradient" in shown(1.0, 2.0)
    assert "0.2 nats with layer norm" in shown(1.0, 2.0) and "disputed" in shown(1.0, 2.0)


def test_a_loss_below_the_entropy_is_called_cheating_and_no_other():
    masked = ("with", 200, 1.12, 0.34, "", 0.99)
    cheat = training(masked, ("without", 200, 0.01, 1.0, "", 0.05), Claim("mask"), LANGUAGE)
    assert "The loss of B is 0.01 nats." in cheat and "below 1.10, the entropy of the language" in cheat
    assert "99% of the words of A and 5% of those of B are legal; 25% are if" in cheat
    assert cheat.endswith("This run shows it.")
    honest = training(masked, ("without", 200, 1.08, 0.34, "", 0.97), Claim("mask"), LANGUAGE)
    assert "entropy" not in honest and honest.endswith("This run does not show it.")


def test_a_divergence_is_a_result_and_a_huge_loss_another():
    place = "the output of layer 2 is the first that is not finite"
    fault = training(("pre", 200, 0.1, 0.9), ("none", 57, 0.2, 0.1, place), Claim("norm"))
    assert f"The loss of B stopped being a finite number after 57 steps: {place}." in fault
    assert fault.endswith("This run shows it.")
    huge = training(("pre", 200, 0.1, 0.9), ("none", 200, 5296.0, 0.07))
    large = [training(("with", 200, 1.1, 0.3), ("without", 200, loss, 0.1), None, LANGUAGE) for loss in (14.0, 26.0)]
    assert "has grown" not in large[0] and "has grown to 26 nats" in large[1], (
        "guessing is the measure, not the entropy"
    )
    assert "has grown to 5,296 nats, far above the 2.8 of guessing" in huge and huge.endswith("A is better.")


def test_a_small_difference_of_one_seed_is_said_to_show_nothing():
    alike = training(("seed 0", 200, 0.1, 0.98), ("seed 1", 200, 0.1, 0.96))
    assert alike.endswith("too small for a run of one seed to say which is better.")
    assert training(("", 200, 0.1, 0.98), ("", 200, 0.1, 0.98)).endswith("every number of A is also one of B.")


def test_the_step_at_which_a_role_forms_is_named_with_both_scores():
    roles = [Role("induction", 1, 2, 800, 1000, 0.05, 0.9), Role("previous token", 0, 1, 1000, 1300, 0.4, 0.61)]
    text = describe_training_history([0, 1300], [5.65, 1.78], roles, 0.5)
    assert text.startswith("**induction**, layer 1 head 2: 0.05 → 0.90 between steps 800 and 1,000; **previous token**")
    assert text.endswith("In 1,300 steps the held-out loss goes from 5.65 nats to 1.78 nats.")
    many = [Role(name, 0, 0, 5, 9, 0.4, after) for name, after in zip("abcde", (0.6, 0.9, 0.5, 0.8, 0.7), strict=True)]
    shown = describe_training_history([0, 9], [5.65, 1.78], many, 0.5)
    assert [name for name in "abcde" if f"**{name}**" in shown] == ["b", "d", "e"]
    assert "2 more roles form with smaller jumps. In 9 steps" in shown
    assert "no head has taken up a role" in describe_training_history([0, 50], [2.8, 2.7], [], 0.5)
    assert "nothing can be wound back" in describe_training_history([0], [2.8], [], 0.5)
    assert describe_training_history([0, 5], [2.8, 2.7], [], 0.5, rests=False).startswith("The training goes on")


def test_kept_steps_are_counted_with_their_memory():
    assert describe_kept_steps(67, 67, 12.31, 64) == (
        "You can go back to 67 steps of this training. They take 12.3 of 64 MB."
    )
    assert describe_kept_steps(66, 67, 63.2, 64).endswith("1 older step was removed to stay within this.")
