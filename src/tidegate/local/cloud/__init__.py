"""The local cloud: moto with a front that runs the deployed functions, jobs, queues, schedules."""
