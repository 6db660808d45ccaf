"""`python scheduler.py` is `rowlock scheduler`, with its checks. The process is
`app.processes.scheduler`, and what it runs each second `app.service.sweeping`."""

from rowlock.cli import main

if __name__ == "__main__":
    main(["scheduler"])
