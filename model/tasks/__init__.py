"""Languages to learn whose generators know the answers: which word should look at which; and English, where none does.

Read `gold.py` for what a sentence carries, `grammar.py` for a whole task, `passages.py` for one without answers.
"""

from model.tasks.gold import Probe, Relation, Sentence, Task
from model.tasks.grammar import GRAMMAR
from model.tasks.passages import STORIES

TASKS: dict[str, Task] = {task.name: task for task in (GRAMMAR, STORIES)}

__all__ = ["TASKS", "Probe", "Relation", "Sentence", "Task"]
