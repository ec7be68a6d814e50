"""The main process of one worker: gunicorn's, and small while nothing has to be done.

What it has loaded is of use to it when it makes a worker. One that serves needs none
made, and to share pages with it is worth little: each writes to a fourth of them. So
the main process becomes a program of 4 MB that waits (`program.py`), in its own place:
same process, same children, same sockets. It becomes `serve` again, and so gunicorn's
main process (`arbiter.py`), when there is more to do than to stop: a worker is gone or
silent, or there came a signal.

96 MB were 73, and a start costs no more. A worker that was killed is replaced after the
second that a start takes; whoever connects meanwhile waits. Several workers share what
their main process has loaded, and it stays.
"""
