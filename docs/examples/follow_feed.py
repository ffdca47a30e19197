"""Follow the change feed and keep the place: nothing is missed, nothing comes twice, whenever this is stopped.

Needs GATEWAY, CLIENT_ID and CLIENT_SECRET in the environment, `pip install httpx`, and a file for the cursor.
"""

import os
import sys
from pathlib import Path

import httpx

place = Path(sys.argv[1])
with httpx.Client(base_url=os.environ["GATEWAY"], timeout=60) as http:
    credentials = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    answer = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials).raise_for_status()
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"  # good for ten minutes
    while True:
        asked = {"limit": "500"} | ({"cursor": place.read_text()} if place.exists() else {})
        page = http.get("/api/v1/sync/changes", params=asked).raise_for_status().json()
        for change in page["items"]:
            print(change["happened_at"], change["dossier_code"], change["event_type"], change["portal_status"] or "")
        if not page["items"]:
            break  # a program that goes on asks again with wait_s=30
        # Where this is a database: in the same transaction as what was done with the changes.
        place.write_text(page["next_cursor"])
