/** A program for a pod: it tells what it was asked, and behaves badly where the path asks for that. Prints its port. */
export const proxiedProgram = `
import hashlib, http.server, json, time

class Program(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *words):
        pass

    def answer(self):
        sent = hashlib.sha256()
        if self.headers.get('transfer-encoding') == 'chunked':
            while True:
                size = int(self.rfile.readline(), 16)
                sent.update(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    break
        else:
            sent.update(self.rfile.read(int(self.headers.get('content-length') or 0)))
        if self.path.startswith('/never'):
            print('waiting', flush=True)
            self.rfile.read(1)
            print('gone', flush=True)
            return
        if self.path.startswith('/huge'):
            self.send_response(200)
            self.send_header('content-length', str(96 << 20))
            self.end_headers()
            for _ in range(96):
                self.wfile.write(bytes(1 << 20))
            return
        if self.path.startswith('/broken'):
            self.send_response(200)
            self.send_header('content-length', '1000')
            self.end_headers()
            self.wfile.write(b'half')
            self.close_connection = True
            return
        if self.path.startswith('/switch'):
            self.send_response(101)
            self.send_header('connection', 'upgrade')
            self.send_header('upgrade', 'echo')
            self.end_headers()
            while True:
                piece = self.connection.recv(1 << 16)
                if not piece:
                    self.close_connection = True
                    return
                self.connection.sendall(piece.upper())
        if self.path.startswith('/nonsense'):
            self.wfile.write(b'HTTP/1.1 abc\\r\\n\\r\\n')
            self.close_connection = True
            return
        body = json.dumps({
            'method': self.command,
            'path': self.path,
            'headers': {name.lower(): value for name, value in self.headers.items()},
            'sent': sent.hexdigest(),
        }).encode()
        self.send_response(418 if self.path.startswith('/teapot') else 200)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(body)))
        self.send_header('connection', 'x-secret')
        self.send_header('x-secret', 'of the connection')
        self.send_header('x-own', 'kept')
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = do_PATCH = do_DELETE = answer

served = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Program)
print(served.server_port, flush=True)
served.serve_forever()
`
