"""Which legacy encoding a file, or a line in a file of UTF-8, is in."""
from __future__ import annotations

import codecs
from collections import Counter

MULTIBYTE = {"gb18030", "big5hkscs", "cp932", "euc_jp", "euc_jis_2004", "cp949", "euc_kr", "shift_jis_2004", "johab"}
CANDIDATES = ["cp1252","cp1250","cp1251","cp1253","cp1254","cp1257","cp1255","cp1256","cp874","koi8-r","koi8-u","iso8859-2","cp932","gb18030","euc_jp","cp949","big5hkscs","mac-roman","cp866"]

def guess(data: bytes) -> str:
    import chardet
    found = chardet.detect(data, prefer_superset=False, compat_names=False)["encoding"]
    return found or "cp1252"

def decode_line(line: bytes, encoding: str, last: bool) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        if last and encoding in MULTIBYTE:
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            return decoder.decode(line)
        return line.decode(encoding, "replace")

class Reader:
    def __init__(self, bad: list[bytes], good: Counter[str]) -> None:
        self.bad=bad; self.good=set(good); self.used: list[str]=[]
        self.count=sum(good.values())
    def trusts_utf8(self, sound: int) -> bool:
        return sound>0 and self.count>=2 and sound>=len(self.bad)*0.5
    def read(self, line: bytes) -> str:
        best=None
        for rank,enc in enumerate(CANDIDATES):
            try: text=line.decode(enc)
            except UnicodeDecodeError: continue
            high=[c for c in text if c>"\x7f"]
            fit=sum(c in self.good for c in high)/max(len(high),1)
            if best is None or fit>best[0]+1e-9: best=(fit,enc,text)
        if best is None: return line.decode("cp1252","replace")
        if best[1] not in self.used: self.used.append(best[1])
        return best[2]
