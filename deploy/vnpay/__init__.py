"""The mocked VNPAY 2.1.0: it takes orders, lets people pay, tells of it by IPN, and misbehaves when it is asked to."""
