#!/usr/bin/env bash
# The steps of tools/images_test.sh, which starts it in namespaces of its own, with this machine's network as file 9:
#
#   1. the images: what they hold, that server and console refuse to be open to others, the server's embedded engine
#   2. compose.yaml: the server alone, then with both models, which read the flags and batching.config of that file
#   3. the limits of each container, as the kernel has them, and the server's own
#   4. recognition through the published port, of a picture and of a film
#   5. a camera, through a stop and start of the server and the death of each model: every frame is accounted for
#   6. compose.public.yaml: TLS and a token, for calls and streams; a token that is added and one that is revoked
#   7. the stop
#
#   tests/containers/run.sh BIN SCRATCH      the commands of the virtual environment, and an empty folder
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$1 scratch=$2
source tests/containers/engine.sh
source tests/containers/build.sh

say "what the server's image holds"
podman run --rm --network none --entrypoint /opt/facewire/bin/python facewire-server -c '
import importlib.util, os
for absent in ("tensorflow", "openvino_telemetry", "pip"):
    assert importlib.util.find_spec(absent) is None, absent
assert os.getuid() == 10001, os.getuid()
print("no tensorflow, no telemetry, no installer; uid", os.getuid())'

say "open to others without TLS it refuses to start"
refused 2 insecure-listen podman run --rm --network none facewire-server

say "alone, by its embedded engine, it serves with models mounted"
podman run --detach --name alone --network none --read-only --env FACEWIRE_LISTEN=127.0.0.1:50051 \
  --volume "$FACEWIRE_MODELS:/models:ro" facewire-server >/dev/null
await 120 podman healthcheck run alone
podman exec alone facewire-server health --ready
podman rm --force --time 30 --volumes alone >/dev/null

say "the console's image: it refuses to be open to others without a login, and answers without its server"
refused 2 login-token-file podman run --rm --network none facewire-console
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$scratch/login"
chmod 644 "$scratch/login"
podman run --detach --name page --network none --read-only --cap-drop ALL \
  --volume "$scratch/login:/run/secrets/console-login:ro" \
  --env FACEWIRE_CONSOLE_LOGIN_TOKEN_FILE=/run/secrets/console-login \
  --env FACEWIRE_CONSOLE_INSECURE_LISTEN=true facewire-console >/dev/null
await 60 podman healthcheck run page
podman rm --force --time 15 page >/dev/null

say "the server starts before any model is there"
compose up --detach --no-build server
process_only() {
  local states
  states=$(health) || true
  grep "^process SERVING" <<<"$states" && grep "^facewire.v1.RecognitionService NOT_SERVING" <<<"$states"
}
await 120 process_only
health --live
if podman healthcheck run "$(container server)"; then fail "compose calls it healthy, and it is not ready"; fi

"$bin/python" tests/containers/pictures.py "$scratch"
recognized() {
  facewire recognize --json "$scratch/probe.jpg" \
    | grep --only-matching '"outcome": "KNOWN", "identity_id": "eileen"'
}
unavailable() {
  local status=0
  facewire recognize --json "$scratch/probe.jpg" || status=$?
  [ $status -eq 3 ] # the CLI's "not ready: try again"
}
await 60 unavailable

say "both models come, started as compose.yaml says"
compose up --detach --no-build
await 240 health
podman ps --format '{{.Names}}  {{.Image}}  {{.Ports}}'
for model in mtcnn-cpu embedding-cpu; do
  podman inspect --format '{{.Config.Cmd}}' "$(container $model)"
  podman logs "$(container $model)" 2>&1 | grep "of TensorFlow Serving"
done
podman logs "$(container embedding-cpu)" 2>&1 | grep "/models/batching.config" >/dev/null || fail "it was not read"

say "the limits of compose.yaml are in force"
for service in server mtcnn-cpu embedding-cpu; do
  podman exec --interactive "$(container $service)" python3 - <tests/containers/in_force.py \
    | "$bin/python" tests/containers/limits.py $service
done
podman inspect --format 'log {{.HostConfig.LogConfig.Size}}' "$(container server)" | tee "$scratch/log"
grep --quiet "log 10" "$scratch/log" || fail "this is not the limit of compose.yaml"
podman exec "$(container server)" python3 -c '
from facewire_server.host.processors import usable_processors
assert usable_processors().quota == 1.0
print("the server plans for one processor")'

say "a face is enrolled and recognized through the published port"
facewire enroll "$scratch/people"
recognized

say "and in every frame of a film"
film_recognized() { # COMMAND...: a way to call the command `facewire`
  "$@" watch --json "$scratch/film.avi" >"$scratch/seen"
  local frames
  frames=$(grep --count '"outcome": "KNOWN", "identity_id": "eileen"' "$scratch/seen")
  [ "$frames" -eq 10 ] || fail "$frames of 10 frames"
  echo "10 of 10 frames"
}
film_recognized facewire

say "pictures beyond the server's limits are refused by name"
refused 1 IMAGE_TOO_MANY_PIXELS facewire recognize --json "$scratch/pixels.png"
refused 1 IMAGE_TOO_MANY_BYTES facewire recognize --json "$scratch/bytes.jpg"

say "a camera connects"
"$bin/python" tests/containers/camera.py "127.0.0.1:$FACEWIRE_PORT" "$scratch/probe.jpg" >"$scratch/camera" 2>&1 &
camera=$!
recognizing() { # the last three frames or more
  awk '/"event": "reopening"|"status": "UNAVAILABLE"/ { ok = 0 } /"status": "OK", "who": \["eileen"\]/ { ok++ } END { exit ok < 3 }' "$scratch/camera"
}
await 120 recognizing

say "the server is stopped: it drains, and ends before it would be killed"
server=$(container server)
grace=$(sed -n 's/.*stop_grace_period: \([0-9]*\)s.*/\1/p' compose.yaml)
begun=$SECONDS
compose stop server
took=$((SECONDS - begun))
podman logs --tail 8 "$server"
[ "$(podman inspect --format '{{.State.ExitCode}}' "$server")" = 0 ] || fail "it did not end cleanly"
[ $took -lt "$grace" ] || fail "it took $took of $grace s"
echo "stopped within $took of $grace s, status 0"
grep --max-count 1 '"error": "ReconnectError"' "$scratch/camera" || fail "the camera was not told to come back"

say "it is started again, and the camera comes back"
compose start server
await 240 health
await 120 recognizing
born=$(podman inspect --format '{{.State.Pid}} {{.State.StartedAt}}' "$server")

for model in embedding-cpu mtcnn-cpu; do
  say "$model is killed"
  podman kill "$(container $model)" >/dev/null
  await 60 unavailable
  say "$model is started again"
  podman start "$(container $model)" >/dev/null
  await 240 health
  recognized
  await 120 recognizing
done
[ "$born" = "$(podman inspect --format '{{.State.Pid}} {{.State.StartedAt}}' "$server")" ] \
  || fail "the server was restarted"
echo "the server is the process that it was: $born"

say "the camera ends: every frame was accounted for once"
kill -TERM $camera
wait $camera || { tail -3 "$scratch/camera"; fail "frames are missing"; }
camera=
sed 's/.*"status": "\([A-Z_]*\)".*/\1/; s/.*"event": "\(skipped\|reopening\)".*/stream: \1/; /"end"/d' "$scratch/camera" | sort | uniq --count
tail -1 "$scratch/camera"

say "published to others, it takes TLS as secrets and a token that the command made"
compose down
mkdir "$FACEWIRE_SECRETS"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -out "$FACEWIRE_SECRETS/certificate.pem" -keyout "$FACEWIRE_SECRETS/key.pem" 2>/dev/null
chown -R 10001:10001 "$FACEWIRE_SECRETS"
chmod -R u=rwX,go= "$FACEWIRE_SECRETS"
# podman-compose 1.6.0 puts no variables into a list that is marked `!override`, as Docker's does.
sed "s/\${FACEWIRE_PORT:-50051}/$FACEWIRE_PORT/" compose.public.yaml >"$scratch/public.yaml"
overlay=(--file "$scratch/public.yaml")
first=$(podman run --rm --network none --volume "$(podman volume ls --quiet --filter name=gallery):/data" \
  --env FACEWIRE_TOKEN_FILE=/data/tokens facewire-server token add first --role operator)
compose up --detach --no-build
await 240 health
podman port "$(container server)"
secured() { facewire --tls-ca "$FACEWIRE_SECRETS/certificate.pem" "$@"; }
with_token() { FACEWIRE_TOKEN=$1 secured "${@:2}"; }
with_token "$first" gallery list --json
film_recognized with_token "$first"

say "without a token, with a wrong one and without TLS nothing comes in"
kept_out() { # COMMAND...: of `facewire`
  refused 4 FACEWIRE_TOKEN secured "$@"
  refused 4 FACEWIRE_TOKEN with_token second-0123456789 "$@"
  refused 3 TLS facewire "$@"
}
kept_out gallery list
kept_out watch --json "$scratch/film.avi"
if podman logs "$(container server)" 2>&1 | grep "fw_"; then fail "a token is in the log"; fi

say "a token that is added is in force without a restart, and one that is revoked is not"
tokens() { podman exec "$(container server)" facewire-server token "$@"; }
second=$(tokens add second --role operator)
tokens revoke first
await 60 with_token "$second" gallery list --json
film_recognized with_token "$second"
refused 4 FACEWIRE_TOKEN with_token "$first" gallery list
podman exec "$(container server)" facewire-server audit verify

say "it drains and ends when it is stopped"
compose stop server
[ "$(podman inspect --format '{{.State.ExitCode}}' "$(container server)")" = 0 ] || fail "it did not end cleanly"
podman logs --tail 3 "$(container server)"
