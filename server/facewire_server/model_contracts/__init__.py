"""The model contracts that come with the server: one JSON file each (`proof.model_contract`)."""
