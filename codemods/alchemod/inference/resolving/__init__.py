"""What an expression is: names, attributes, calls and what functions of the project give."""
