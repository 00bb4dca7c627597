"""From a person's words to a job: the project, its keys, what is asked of a run."""
