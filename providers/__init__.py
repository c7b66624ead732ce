"""The provider layer: what is asked, how each wire protocol says it, and what came back.

Useful alone, without the harness::

    from providers import client, schema
    from providers.call import Call, user

    groq = schema.get("groq")
    turn = client.complete(groq, Call(model="llama-3.3-70b-versatile", messages=(user("hi"),)), key="...")

This page imports nothing, so that a program pays only for the modules it names.
"""
