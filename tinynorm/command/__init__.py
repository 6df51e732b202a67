"""The console command ``tinynorm check FILE.py``, one file for each step.

=================  ==========================================================================================
`main`             reads the command line and takes the steps, in the order of this table
`load_file`        runs the user's file as a module and returns its names
`find_pairs`       finds the functions that belong together, NAME_forward and NAME_backward, among the names
`choose_call`      tries inputs, and chooses those with which the pair works
`given_inputs`     ... takes them from the user's NAME_inputs where there is one
`draw_inputs`      ... else draws them, guided by the names of the arguments
`call_pair`        calls forward and backward with such inputs, and reads what they return
`check_pair`       checks the gradients with `gradcheck.check_backward`
`print_results`    prints the results as text, JSON or HTML
`run_code`         surrounds the user's code whenever it runs: catches its prints, explains its exceptions
=================  ==========================================================================================
"""
