"""The training data: generators of sentences with gold annotations, and English passages without annotations.

`task.py`: a sentence and its annotations; `grammar`: the language of the word-level models; `passages.py`: English
without annotations; `pair.py`: two sentences and their alignment; `translation`, `dates.py` and `copying.py`: tasks of
such pairs; `parse.py`: from a sentence to its annotations.
"""

from model.tasks.copying import COPYING
from model.tasks.dates import DATES
from model.tasks.grammar.task import GRAMMAR
from model.tasks.pair import Pair, PairTask
from model.tasks.passages import STORIES
from model.tasks.task import Probe, Relation, Sentence, Task
from model.tasks.translation.task import TRANSLATION

TASKS: dict[str, Task] = {task.name: task for task in (GRAMMAR, STORIES)}
PAIRS: dict[str, PairTask] = {task.name: task for task in (TRANSLATION, COPYING, DATES)}

__all__ = ["PAIRS", "TASKS", "Pair", "PairTask", "Probe", "Relation", "Sentence", "Task"]
