"""KakaoTalk Alimtalk through relays: SOLAPI, NHN Cloud, Naver Cloud SENS."""
