// A backend in Go, with the standard library only: PORT=9000 go run backend.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

var key = os.Getenv("BACKEND_KEY") // as the gateway has it; without a key, calls are not verified

func isSigned(h http.Header, body []byte) bool {
	id, timestamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, _ := strconv.ParseInt(timestamp, 10, 64)
	secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "." + string(body)))
	expected, found := "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), false
	for _, each := range strings.Fields(h.Get("webhook-signature")) {
		found = found || hmac.Equal([]byte(each), []byte(expected))
	}
	return found && time.Since(time.Unix(seconds, 0)).Abs() < 5*time.Minute
}

func text(words string) object { return object{"type": "text", "text": words} }

func answer(choice string, attributes object) object {
	if choice != "" {
		remember := object{"session": object{"colour": choice}}
		return object{"messages": []object{text("You chose " + choice + ".")}, "attributes": remember}
	} else if colour, known := attributes["colour"].(string); known {
		return object{"messages": []object{text("Your colour is " + colour + ".")}}
	}
	colours := []object{{"title": "Red", "value": "red"}, {"title": "Green", "value": "green"}}
	question := object{"type": "choices", "text": "Which colour do you like?", "choices": colours}
	return object{"messages": []object{text("Hello!"), question}}
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Event struct {
				Choice     struct{ Value string }
				Attributes object
			}
		}
		body, _ := io.ReadAll(r.Body)
		if key != "" && !isSigned(r.Header, body) {
			w.WriteHeader(401)
		} else if json.Unmarshal(body, &call) != nil {
			w.WriteHeader(400)
		} else {
			w.Header().Set("content-type", "application/json")
			json.NewEncoder(w).Encode(answer(call.Event.Choice.Value, call.Event.Attributes))
		}
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
