"""What runs inside Rasa's own environment: its channel, its components and policy, how it is trained and started."""
