"""`python -m target_oracle`: the command `target-oracle`."""

from target_oracle.target import TargetOracle

TargetOracle.cli()
