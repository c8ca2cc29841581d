"""A backend in Python, with the standard library only: python3 backend.py"""
import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# As the gateway has it. Without a key, calls are not verified.
KEY = base64.b64decode(os.environ.get("BACKEND_KEY", "").removeprefix("whsec_"), validate=True)
COLOURS = [{"title": "Red", "value": "red"}, {"title": "Green", "value": "green"}]

def is_signed(headers, body):
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    mac = hmac.digest(KEY, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(mac)
    return any(hmac.compare_digest(each.encode(), expected) for each in headers.get("webhook-signature", "").split())

def answer(event):
    if "choice" in event:
        colour = event["choice"]["value"]
        return {"messages": [text(f"You chose {colour}.")], "attributes": {"session": {"colour": colour}}}
    if "colour" in event["attributes"]:
        return {"messages": [text(f"Your colour is {event['attributes']['colour']}.")]}
    return {"messages": [text("Hello!"), {"type": "choices", "text": "Which colour do you like?", "choices": COLOURS}]}

def text(words):
    return {"type": "text", "text": words}

class Backend(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if KEY and not is_signed(self.headers, body):
            return self.send_error(401)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer(json.loads(body)["event"])).encode())

ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Backend).serve_forever()
