"""The console command ``tinynorm check FILE.py``, one file for each step.

=================  ==================================================================================================
`main`             reads the command line, and finds the files in a folder (`find_files`)
`own_process`      checks a file in processes of its own, with limits, and hears of each result; the process is that of
                   `guard`, its limits are in `limits`, and what it may not change in `untouched`
`serve`            takes, in that process, the steps that follow
`load_file`        runs the user's file as a module, or the definitions of a notebook (`load_notebook`); returns its names
`find_pairs`       finds the functions that belong together, NAME_forward and NAME_backward, among these names; and the
                   losses that are forward and backward in one (`find_losses`)
`choose_call`      chooses the inputs: those that NAME_inputs returns (`given_inputs`), else the drawn inputs
                   (`draw_inputs`, from the names of the arguments) with which the pair works best
`check_pair`       checks the gradients with `gradcheck.check_backward`
`print_results`    prints the results as text, JSON or HTML
=================  ==================================================================================================

`call_pair` calls forward and backward, and reads what they return. `run_code` surrounds the user's code whenever it runs: it
catches the prints, and explains the exceptions. The pytest plugin is `plugin/pytest_tinynorm`.

``tinynorm run FILE.py`` is `run_program`; with ``--missing``, `find_missing`. `notebook` reads notebooks for both.
"""
