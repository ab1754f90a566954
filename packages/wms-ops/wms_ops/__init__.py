"""Guards, scheduler and checks around the Meltano jobs."""
