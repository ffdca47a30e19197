// Words about webhooks.

export const WEBHOOKS_WORDS = {
  "webhooks.title": ["Webhook", "Webhooks"],
  "webhooks.tile": ["Webhook đang gửi", "Webhooks active"],
  "webhooks.tile_cut": ["{n} bị ngắt vì hỏng", "{n} cut off by failures"],
  "webhooks.tile_failing": ["{n} đang hỏng", "{n} failing"],
  "webhooks.tile_fine": ["không đăng ký nào hỏng", "none failing"],
  "webhooks.key": [
    "Thông điệp gửi lại giữ nguyên mã webhook-id, nên bên nhận nhận ra bản trùng. Khóa bí mật không hiển thị ở đây.",
    "A message that is sent again keeps its webhook-id, so receivers know it again. Secrets are never shown here.",
  ],
  "webhooks.only_look": [
    "Bạn chỉ được xem: muốn bật, tắt hoặc gửi lại cần quyền webhooks:write.",
    "You can only look: enabling, disabling and sending again need the right webhooks:write.",
  ],
  "webhooks.none": ["Chưa có đăng ký nào.", "No subscriptions yet."],
  "webhooks.address": ["Bên nhận", "Receiver"],
  "webhooks.wants": ["Muốn biết", "Wants"],
  "webhooks.only_agency": ["chỉ đơn vị {agency}", "only agency {agency}"],
  "webhooks.only_procedure": ["chỉ thủ tục {procedure}", "only procedure {procedure}"],
  "webhooks.owed": ["Còn nợ", "Owed"],
  "webhooks.last_success": ["Gửi được lần cuối", "Last success"],
  "webhooks.active": ["Đang gửi", "Active"],
  "webhooks.failing": ["Đang hỏng", "Failing"],
  "webhooks.failing_since": ["từ", "since"],
  "webhooks.disabled": ["Đã tắt", "Disabled"],
  "webhooks.show": ["Xem thông điệp", "Show messages"],
  "webhooks.hide": ["Ẩn thông điệp", "Hide messages"],
  "webhooks.disable": ["Tắt", "Disable"],
  "webhooks.disable_title": ["Tắt webhook tới {address}", "Disable the webhook to {address}"],
  "webhooks.disable_about": [
    "Bên nhận không được báo gì nữa cho đến khi bật lại. Không mất gì: chỗ đang dừng và {n} thông điệp còn nợ được giữ.",
    "The receiver is told nothing until it is enabled again. Nothing is lost: its place and {n} owed message(s) are kept.",
  ],
  "webhooks.disable_done": ["Đã tắt webhook tới {address}.", "The webhook to {address} is disabled."],
  "webhooks.enable": ["Bật lại", "Enable"],
  "webhooks.enable_title": ["Bật lại webhook tới {address}", "Enable the webhook to {address}"],
  "webhooks.enable_about": ["Còn nợ {n} thông điệp.", "{n} message(s) are owed."],
  "webhooks.enable_done": ["Đã bật lại webhook tới {address}.", "The webhook to {address} is enabled."],
  "webhooks.resume": ["Gửi từ đâu", "Where to go on"],
  "webhooks.where_it_stopped": ["Từ chỗ đã dừng", "Where it stopped"],
  "webhooks.where_it_stopped_about": [
    "Gửi những gì còn nợ và mọi thay đổi từ đó đến nay.",
    "Sends what is owed and every change since then.",
  ],
  "webhooks.from_now": ["Chỉ từ bây giờ", "Only from now on"],
  "webhooks.from_now_about": [
    "Bỏ qua những gì còn nợ; sau này vẫn gửi lại được.",
    "Skips what is owed; it can still be sent again later.",
  ],
  "webhooks.test": ["Gửi thử", "Test"],
  "webhooks.test_title": ["Gửi thử tới {address}", "Send a test to {address}"],
  "webhooks.test_about": [
    "Gửi một thông điệp không nói về hồ sơ nào. Kết quả hiện trong danh sách thông điệp.",
    "Sends a message about no dossier. What came of it shows among the messages.",
  ],
  "webhooks.test_done": ["Đã đặt gửi thử tới {address}.", "A test message to {address} is on its way."],
  "webhooks.resend": ["Gửi lại…", "Send again…"],

  "deliveries.title": ["Thông điệp gần đây", "Latest messages"],
  "deliveries.filter": ["Kết quả", "Outcome"],
  "deliveries.all": ["tất cả", "all"],
  "deliveries.finished": ["mọi kết quả", "any outcome"],
  "deliveries.delivered": ["Đã nhận", "Delivered"],
  "deliveries.failed": ["Không gửi được", "Given up"],
  "deliveries.skipped": ["Bỏ qua", "Skipped"],
  "deliveries.owed": ["Còn nợ", "Owed"],
  "deliveries.none": ["Không có thông điệp nào.", "No messages."],
  "deliveries.shown": ["Đang hiển thị {n} thông điệp mới nhất.", "Showing the {n} latest messages."],
  "deliveries.outcome": ["Kết quả", "Outcome"],
  "deliveries.made": ["Tạo", "Made"],
  "deliveries.test": ["Thông điệp thử", "Test message"],
  "deliveries.resend": ["Gửi lại", "Send again"],
  "deliveries.resend_title": ["Gửi lại một thông điệp", "Send a message again"],
  "deliveries.resend_about": [
    "{about}. Thông điệp giữ nguyên mã webhook-id {id}.",
    "{about}. The message keeps its webhook-id {id}.",
  ],
  "deliveries.resend_done": ["Thông điệp đang được gửi lại.", "The message is being sent again."],

  "resend.title": ["Gửi lại thông điệp tới {address}", "Send messages to {address} again"],
  "resend.about": [
    "Thông điệp tạo trong khoảng thời gian này được gửi lại, mỗi thông điệp dưới mã webhook-id của nó. Bỏ trống là không giới hạn.",
    "Messages made in this span go out again, each under its own webhook-id. Leave a time empty for no limit.",
  ],
  "resend.since": ["Từ (giờ Việt Nam)", "From (Vietnam time)"],
  "resend.until": ["Đến trước (giờ Việt Nam)", "Before (Vietnam time)"],
  "resend.outcome": ["Chỉ những thông điệp", "Only messages that were"],
  "resend.go": ["Gửi lại", "Send again"],
  "resend.done": ["{n} thông điệp đang được gửi lại.", "{n} message(s) are being sent again."],
  "resend.done_full": [
    "{n} thông điệp đang được gửi lại, nhiều nhất mỗi lần. Hãy làm lại cho phần còn lại.",
    "{n} messages are being sent again, the most at a time. Do it once more for the rest.",
  ],
};

const DISABLED = {
  asked: ["theo yêu cầu", "as asked for"],
  gone: ["bên nhận trả lời 410 (không còn)", "the receiver answered 410 (gone)"],
  failing: ["hỏng liên tục nhiều ngày", "nothing but failures for days"],
};

const SILENCES = {
  timeout: ["Trả lời quá lâu", "No answer in time"],
  tls: ["Lỗi chứng thư TLS", "TLS failed"],
  name_unknown: ["Không tìm thấy tên máy", "Name not found"],
  no_connection: ["Không kết nối được", "No connection"],
  broken_answer: ["Trả lời bị hỏng", "Broken answer"],
  address_refused: ["Địa chỉ không được phép gọi", "Address may not be called"],
  secret_unreadable: ["Thiếu khóa mở khóa bí mật", "Key of the secret is missing"],
};

export const WEBHOOKS_NAMED = { disabled: DISABLED, silence: SILENCES };
