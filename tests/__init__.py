"""The tests, by how much of the product they run: unit, infra, integration, e2e."""
