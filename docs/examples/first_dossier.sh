#!/bin/sh
# A token, a dossier, where it stands: with curl and jq alone.
# Needs GATEWAY, CLIENT_ID and CLIENT_SECRET in the environment (a client of the sandbox).
set -eu

TOKEN=$(curl -sSf "$GATEWAY/oauth/token" -d grant_type=client_credentials -u "$CLIENT_ID:$CLIENT_SECRET" |
    jq -r .access_token)

# The key stands for this one wish: whatever happens on the way, the same call with the same key is done once.
KEY=$(cat /proc/sys/kernel/random/uuid)

submit() {
    curl -sS "$GATEWAY/api/v1/dossiers" -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $KEY" \
        -H 'Content-Type: application/json' -d '{
          "procedure_code": "1.004873", "agency_code": "H32.14.61", "channel": "online", "return_method": "online",
          "applicant": {"kind": "citizen", "name": "Người Thử Nghiệm", "id_kind": "cccd", "id_number": "056000000007",
                        "email": "sandbox@example.vn"},
          "documents": [{"component_code": "TP01", "paper": true}]}'
}

CODE=$(submit | jq -r .code)
test "$CODE" = "$(submit | jq -r .code)" # sent again: the same dossier
curl -sSf "$GATEWAY/api/v1/dossiers/$CODE" -H "Authorization: Bearer $TOKEN" | jq -c '{code, status, actions}'
