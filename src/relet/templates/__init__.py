"""Projects, pipelines, components and checks that `relet new` writes, ready to be edited."""
