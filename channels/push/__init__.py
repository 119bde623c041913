"""Push notifications: FCM, APNs and Web Push."""
