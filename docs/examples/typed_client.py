"""The same with the typed client: `motcua client FOLDER`, `pip install FOLDER`, then this.

Needs GATEWAY, CLIENT_ID and CLIENT_SECRET in the environment (a client of the sandbox).
"""

import os

from motcua_client import Motcua, Refused, models

with Motcua(os.environ["GATEWAY"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]) as motcua:
    procedure = motcua.catalogue.read_procedure("1.004873")
    papers = [models.PaperBody(component_code=one.code, paper=True) for one in procedure.components if one.required]
    person = models.PartyBody(
        kind="citizen",
        name="Người Thử Nghiệm",
        id_kind="cccd",
        id_number="056000000007",
        email="sandbox@example.vn",
    )
    dossier = motcua.dossiers.submit_dossier(
        models.DossierBody(
            procedure_code=procedure.code,
            agency_code="H32.14.61",
            channel="online",
            return_method="online",
            applicant=person,
            documents=papers,
        )
    )
    print(dossier.code)

    motcua.dossiers.withdraw_dossier(dossier.code, models.WithdrawBody(reason="Hồ sơ thử nghiệm"))
    try:
        motcua.dossiers.withdraw_dossier(dossier.code, models.WithdrawBody(reason="Rút thêm một lần nữa"))
    except Refused as refusal:
        print(refusal.status, refusal.code)
