"""Tables out of files of any kind, read in a process of their own: nothing here knows the app, or imports much.

`services.text.files` starts that process (`python -m services.text.tables`). It gives the file on standard input and
gets the table on standard output, so a file that ends or stalls its reader ends nothing else.
"""
