"""What a worker tells of an atlas."""

TASKS: dict[str, object] = {}
