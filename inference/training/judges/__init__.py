"""Published scorers of reports, run on the weights a person has on disk. None of them is shipped."""
