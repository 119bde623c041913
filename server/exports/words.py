"""Our closed sets of words, as people read them in a file. Names that people gave stay as they are."""

from collections.abc import Mapping
from typing import NamedTuple

from server.aggregates.metrics import Metric as M

from .sheets import Language


class Word(NamedTuple):
    ko: str
    en: str

    def in_(self, language: Language) -> str:
        return self.ko if language is Language.KO else self.en


def said(words: Mapping[str, Word], stored: str, language: Language) -> str:
    """The word for what is stored; that itself where nobody has a word for it, as a channel of others'."""
    found = words.get(stored)
    return found.in_(language) if found else stored


STATUSES = {
    "draft": Word("초안", "Draft"),
    "scheduled": Word("예약", "Scheduled"),
    "running": Word("활성", "Active"),
    "paused": Word("일시 정지", "Paused"),
    "finished": Word("완료", "Finished"),
    "archived": Word("보관", "Archived"),
}

END_REASONS = {
    "completed": Word("여정 완료", "Completed"),
    "goal": Word("전환 목표 달성", "Goal reached"),
    "cancel_event": Word("취소 이벤트", "Cancel event"),
    "moved_on": Word("다른 여정으로 이동", "Moved on"),
    "held_out": Word("홀드아웃", "Held out"),
    "internal_error": Word("내부 오류", "Internal error"),
    "send_error": Word("전송 오류", "Send error"),
    "overdue": Word("기한 경과", "Overdue"),
    "edited": Word("여정 수정", "Edited"),
    "removed": Word("API로 제외", "Removed"),
    "erased": Word("사용자 삭제", "Erased"),
    "stopped": Word("여정 중지", "Stopped"),
    "merged": Word("사용자 병합", "Merged"),
}

REFUSALS = {
    "already_inside": Word("이미 진입 중", "Already inside"),
    "entered_before": Word("이미 진입한 적 있음", "Entered before"),
    "paused": Word("일시 정지 중", "Paused"),
    "too_old": Word("너무 오래된 이벤트", "Too old"),
    "too_soon": Word("재진입 간격 미달", "Too soon"),
    "too_often": Word("재진입 횟수 초과", "Too often"),
    "ended": Word("여정 종료 후", "Ended"),
    "time_passed": Word("진입 시각 경과", "Time passed"),
    "not_in_audience": Word("대상 아님", "Not in the audience"),
    "unknown_user": Word("알 수 없는 사용자", "Unknown user"),
    "loop": Word("여정 순환", "Loop"),
    "internal_error": Word("내부 오류", "Internal error"),
}

CLOCKS = {
    "happened": Word("발생 시점", "When it happened"),
    "entered": Word("진입 시점", "When the run entered"),
}

CHANNELS = {
    "push": Word("푸시", "Push"),
    "email": Word("이메일", "Email"),
    "sms": Word("SMS", "SMS"),
    "whatsapp": Word("WhatsApp", "WhatsApp"),
    "kakao": Word("카카오", "Kakao"),
    "brand_message": Word("브랜드 메시지", "Brand Message"),
    "in_app": Word("인앱", "In-app"),
    "webhook": Word("웹훅", "Webhook"),
}
"""Those with a step of their own, in the order of files. Others are called as their adapters call them."""

MESSAGES: dict[str, Word] = {
    M.QUEUED: Word("발송 결정", "Queued"),
    M.SENT: Word("전송", "Sent"),
    M.DELIVERED: Word("전달", "Delivered"),
    M.OPENED: Word("열람", "Opened"),
    M.OPENS: Word("열람 횟수", "Opens"),
    M.CLICKED: Word("클릭한 메시지", "Clicked"),
    M.CLICKS: Word("클릭", "Clicks"),
    M.UNSUBSCRIBED: Word("구독 취소", "Unsubscribed"),
    M.COMPLAINED: Word("스팸 신고", "Complained"),
    M.REPLIED: Word("답장", "Replied"),
    M.SHOWN: Word("표시", "Shown"),
    M.INTERACTED: Word("상호작용", "Interacted"),
    M.DISMISSED: Word("닫음", "Dismissed"),
    M.BOUNCED: Word("반송", "Bounced"),
    M.FAILED: Word("발송 실패", "Failed"),
    M.SKIPPED: Word("미발송", "Never tried"),
    M.UNKNOWN: Word("결과 불명", "Unknown"),
    M.FALLBACK_SENT: Word("대체발송", "Fallback sent"),
    M.FALLBACK_DELIVERED: Word("대체발송 전달", "Fallback delivered"),
    M.COST: Word("비용 확정 메시지", "Priced"),
    M.BILLED: Word("비용 확정 메시지 (연동·종류별)", "Billed"),
    M.UNBILLED: Word("비용 미확정 메시지", "Unbilled"),
}
"""The metrics of messages."""

ACTORS = {
    "human": Word("사람", "People"),
    "machine": Word("기계", "Machines"),
    "unsure": Word("불명", "Unsure"),
}

REASONS = {
    "invalid_recipient": Word("잘못된 수신자", "Invalid recipient"),
    "unreachable": Word("일시적으로 연결 불가", "Unreachable"),
    "not_on_channel": Word("채널 미가입", "Not on the channel"),
    "opted_out": Word("수신 거부", "Opted out"),
    "not_permitted": Word("발송 권한 없음", "Not permitted"),
    "window_closed": Word("발송 가능 시간 아님", "Window closed"),
    "sender_invalid": Word("잘못된 발신자", "Invalid sender"),
    "auth_failed": Word("인증 실패", "Authentication failed"),
    "account_blocked": Word("계정 차단", "Account blocked"),
    "template_unavailable": Word("템플릿 없음", "Template unavailable"),
    "template_mismatch": Word("템플릿 불일치", "Template mismatch"),
    "content_invalid": Word("잘못된 내용", "Invalid content"),
    "content_rejected": Word("내용 거절", "Content rejected"),
    "request_invalid": Word("잘못된 요청", "Invalid request"),
    "rate_limited": Word("속도 제한", "Rate limited"),
    "quota_exceeded": Word("발송 한도 초과", "Quota exceeded"),
    "duplicate": Word("중복", "Duplicate"),
    "expired": Word("유효 시간 경과", "Expired"),
    "provider_error": Word("발송사 오류", "Provider error"),
    "outcome_unknown": Word("결과 미확인", "Outcome unknown"),
    "unknown": Word("알 수 없음", "Unknown"),
    "no_address": Word("수신 주소 없음", "No address"),
    "invalid_address": Word("유효하지 않은 주소", "Invalid address"),
    "suppressed": Word("수신 차단", "Suppressed"),
    "no_consent": Word("수신 동의 없음", "No consent"),
    "erased": Word("사용자 삭제", "Erased"),
    "journey_stopped": Word("여정 중지", "Journey stopped"),
    "template_error": Word("템플릿 오류", "Template error"),
    "no_connection": Word("연동 없음", "No connection"),
    "capped": Word("빈도 제한", "Capped"),
    "no_voucher": Word("쿠폰 소진", "No voucher"),
    "arrived": Word("원 메시지 도착", "The first has arrived"),
    "not_member": Word("비회원", "Not a member"),
}
"""Why a message did not arrive."""
