// The citizens' check. A file is hashed on this very machine, so only its fingerprint is asked about; where the
// browser cannot do that (no secure context, or a very large file), the file is sent to be hashed and kept nowhere.

const API = "/api/v1";
const HASHED_HERE_MAX = 256 * 1024 * 1024;
const answer = document.querySelector("#answer");
const file = document.querySelector("#file");
const drop = document.querySelector("#drop");
const code = document.querySelector("#code");

const SAYS = {
  valid: ["Kết quả còn hiệu lực", "Tài liệu này do cơ quan nhà nước ban hành và đang có hiệu lực."],
  expired: ["Kết quả đã hết thời hạn", "Tài liệu do cơ quan nhà nước ban hành, nhưng đã quá ngày hiệu lực."],
  not_yet_valid: ["Kết quả chưa đến ngày có hiệu lực", "Tài liệu do cơ quan nhà nước ban hành, nhưng chưa có hiệu lực."],
  superseded: ["Kết quả đã được thay thế", "Cơ quan đã ban hành kết quả khác thay cho tài liệu này."],
  revoked: ["Kết quả đã bị thu hồi", "Tài liệu này không còn giá trị."],
  unknown: ["Không tìm thấy kết quả", "Không có kết quả nào khớp. Hãy kiểm tra lại số, ký hiệu; tệp đã chỉnh sửa, in hoặc chụp lại sẽ không khớp."],
};
const STATUS = { valid: "Còn hiệu lực", expired: "Hết thời hạn", not_yet_valid: "Chưa có hiệu lực", superseded: "Đã được thay thế", revoked: "Đã thu hồi" };

function element(name, text, look) {
  const made = document.createElement(name);
  made.textContent = text;
  if (look) made.className = look;
  return made;
}

function day(text) {
  return text.split("-").reverse().join("/");
}

function facts(match, several) {
  const rows = [
    ["Số, ký hiệu", match.number],
    ["Loại kết quả", match.kind_name],
    ["Mã cơ quan ban hành", match.agency_code],
    ["Ngày ban hành", day(match.issued_on)],
  ];
  if (several) rows.unshift(["Tình trạng", STATUS[match.status]]);
  if (match.valid_until) rows.push(["Có hiệu lực đến hết", day(match.valid_until)]);
  rows.push(["Chữ ký số", match.signed ? "Có, đã được kiểm tra khi lưu trữ" : "Không có"]);
  if (match.digitised) rows.push(["Nguồn", "Số hóa từ bản giấy"]);
  rows.push(["Dấu vân tay của tệp (SHA-256)", match.sha256, "print"]);
  const list = document.createElement("dl");
  for (const [name, value, look] of rows) list.append(element("dt", name), element("dd", value, look));
  return list;
}

function show(state, title, text, matches = []) {
  answer.dataset.state = state;
  answer.replaceChildren(element("h2", title), element("p", text));
  for (const match of matches) answer.append(facts(match, matches.length > 1));
  answer.hidden = false;
  answer.focus({ preventScroll: true });
  answer.scrollIntoView({ block: "nearest" });
}

async function told(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.title_vi || "Hệ thống chưa trả lời được, vui lòng thử lại sau.");
}

async function ask(asking, how) {
  show("waiting", "Đang kiểm tra…", "");
  try {
    const found = await told(await asking());
    const [title, text] = SAYS[found.status];
    const exact = how === "file" && found.status !== "unknown" ? " Tệp trùng khớp từng byte với bản lưu trữ." : "";
    show(found.status, title, text + exact, found.matches);
  } catch (problem) {
    const away = problem instanceof TypeError;
    show("wrong", "Chưa kiểm tra được", away ? "Không kết nối được, vui lòng thử lại sau." : problem.message);
  }
}

async function fingerprint(chosen) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function checkFile(chosen) {
  const here = globalThis.crypto?.subtle && chosen.size <= HASHED_HERE_MAX;
  return ask(async () => {
    if (here) return fetch(`${API}/verify/${await fingerprint(chosen)}`);
    return fetch(`${API}/verify`, { method: "POST", body: chosen, headers: { "Content-Type": "application/octet-stream" } });
  }, "file");
}

function checkCode(text) {
  const path = text.split("/").map(encodeURIComponent).join("/");
  return ask(() => fetch(`${API}/verify/${path}`), "code");
}

file.addEventListener("change", () => {
  const [chosen] = file.files;
  if (chosen) checkFile(chosen).finally(() => { file.value = ""; });
});
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) checkFile(event.dataTransfer.files[0]);
});
document.querySelector("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  checkCode(code.value.trim());
});

document.querySelector("#receive").addEventListener("submit", async (event) => {
  event.preventDefault();
  const received = document.querySelector("#received");
  received.textContent = "Đang tải…";
  try {
    const response = await fetch(`${API}/granted`, { headers: { "X-Grant": document.querySelector("#grant").value.trim() } });
    if (!response.ok) await told(response);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = response.headers.get("Content-Disposition")?.match(/filename="([^"]+)"/)?.[1] ?? "ket-qua.pdf";
    link.click();
    URL.revokeObjectURL(link.href);
    received.textContent = "Đã tải kết quả về máy.";
  } catch (problem) {
    received.textContent = problem instanceof TypeError ? "Không kết nối được, vui lòng thử lại sau." : problem.message;
  }
});

// A QR code leads here with what it stands for behind the #, which browsers tell no server.
const named = decodeURIComponent(location.hash.slice(1));
if (named) {
  code.value = named;
  checkCode(named);
}
