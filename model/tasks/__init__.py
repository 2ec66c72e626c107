"""Languages to learn whose generators know the answers: which word should look at which.

Read `gold.py` for what a sentence carries, `grammar.py` for a whole task.
"""

from model.tasks.gold import Probe, Relation, Sentence, Task
from model.tasks.grammar import GRAMMAR

TASKS: dict[str, Task] = {task.name: task for task in (GRAMMAR,)}

__all__ = ["TASKS", "Probe", "Relation", "Sentence", "Task"]
