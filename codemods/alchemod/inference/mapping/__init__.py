"""What the mapped classes and tables of the project say: types of columns, schemas, validators."""
