"""Text messages: through Twilio to the world, through SOLAPI within Korea. `segments` counts them."""
