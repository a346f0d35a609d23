"""The doctor: says of a deployed stack whether what the product needs is in order. It only reads.

`python -m cli.doctor`; docs/operations.md, "Is everything in order".
"""
