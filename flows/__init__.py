"""The Prefect flows: what runs when, retried how. No text logic; the stages are copydesk's."""
