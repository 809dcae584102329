-- wrk: each connection waits a little between two requests, so that the
-- independent capture keeps up.
function delay()
  return 10
end
