"""wechatpy's enterprise client as the bytes' carrier to WeCom: imported at the first call, as it brings 10 MB along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from bot.channels import ChannelUnavailable
from bot.channels.wecom_client import Refusal

TIMEOUT = (5.0, 15.0)  # seconds to connect, to the next byte


class Transport(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """At an address of our choice and without wechatpy's own ideas about tokens."""

    def __init__(self, corp_id: str, secret: str, base_url: str) -> None:
        super().__init__(corp_id, secret, timeout=TIMEOUT, auto_retry=False)
        self.API_BASE_URL = f"{base_url.rstrip('/')}/cgi-bin/"

    def call(self, method: str, endpoint: str, params: Mapping[str, Any], **body: Any) -> dict[str, Any]:
        """Raises Refusal, or ChannelUnavailable where WeCom was not reached.

        The cause is cut off (`from None`): errors of requests and wechatpy quote the address, and the address holds
        the token, or for gettoken the secret.
        """
        try:
            # a redirect would carry the token in the address to whoever it points at
            answer = self._request(method, endpoint, params=dict(params), allow_redirects=False, **body)
        except WeChatClientException as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            raise Refusal(error.errcode, str(error.errmsg or ""), status) from None
        except requests.RequestException as error:
            raise ChannelUnavailable(f"WeCom cannot be reached: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise ChannelUnavailable("WeCom's answer is not JSON; something else answers at CUNYI_WECOM__BASE_URL")
        return answer
