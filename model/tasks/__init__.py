"""Languages to learn whose generators know the answers: which word should look at which; and English, where none does.

Read `gold.py` for what a sentence carries, `grammar.py` for a whole task, `passages.py` for one without answers;
`pair.py` for what two sentences carry, `translation.py` for a task of such pairs, and `parse.py` for the way back:
from a sentence to the choices that drew it.
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
