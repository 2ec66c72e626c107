"""A class: students follow the lecturer's page and answer questions. No names and no addresses are kept.

code.py           the code of a class and the key of its lecturer
question.py       a question, and the distribution of its answers
store.py          where the data of classes are kept: the interface, and the memory of this process
redis_store.py    the same in Redis, for several replicas
classes.py        everything that a lecturer and a student can do
rate_limit.py     how often an address may be wrong, and a student may write

This package needs neither Streamlit nor torch. Its addresses are in viz/server/class_routes.py.
"""
