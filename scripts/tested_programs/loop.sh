# Runs a command again and again until it is told to stop:
#   sh loop.sh URL COUNT COMMAND...    (a count of 0: no other limit)
url=$1
count=$2
shift 2
errors=0
rounds=0
until [ "$(curl -sf "$url/next")" = stop ]; do
  [ "$count" -eq 0 ] || [ "$rounds" -lt "$count" ] || break
  rounds=$((rounds + 1))
  "$@" || errors=$((errors + 1))
done
echo "errors: $errors"
