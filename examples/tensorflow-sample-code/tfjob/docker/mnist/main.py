"""Learns to read handwritten digits: softmax regression, standard library only.

Reads TF_CONFIG: alone it trains by itself; with parameter servers ("ps") the workers share what they learn.
"""

import argparse
import gzip
import json
import math
import os
import random
import signal
import socket
import socketserver
import sys
import threading
import time

CLASSES = 10
PIXELS = 64
BRIGHTEST = 16.0
# Every fifth image is kept for testing and never trained on.
TEST_EVERY = 5
# How often a worker exchanges weights with the parameter server, in steps.
EXCHANGE_EVERY = 20


class Stopped(Exception):
    """The job was asked to end."""


def say(text):
    print(text, flush=True)


def read_digits(data_dir):
    """(pixels, digit) pairs; pixels are the (index, brightness) of those that are not empty."""
    path = os.path.join(data_dir, "digits.csv.gz")
    images = []
    with gzip.open(path, "rt") as file:
        for line in file:
            numbers = [int(float(word)) for word in line.split(",")]
            # One more input that is always on takes the place of a separate bias.
            pixels = [(i, value / BRIGHTEST) for i, value in enumerate(numbers[:PIXELS]) if value] + [(PIXELS, 1.0)]
            images.append((pixels, numbers[PIXELS]))
    return images


def new_weights():
    return [[0.0] * CLASSES for _ in range(PIXELS + 1)]


def probabilities(weights, pixels):
    scores = [0.0] * CLASSES
    for index, value in pixels:
        scores = [score + weight * value for score, weight in zip(scores, weights[index])]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def train_step(weights, batch, rate):
    """One step of gradient descent on a batch; the mean loss before it."""
    loss = 0.0
    pace = rate / len(batch)
    for pixels, digit in batch:
        chances = probabilities(weights, pixels)
        loss -= math.log(max(chances[digit], 1e-12))
        chances[digit] -= 1.0
        errors = [chance * pace for chance in chances]
        for index, value in pixels:
            weights[index] = [weight - error * value for weight, error in zip(weights[index], errors)]
    return loss / len(batch)


def accuracy(weights, images):
    right = 0
    for pixels, digit in images:
        chances = probabilities(weights, pixels)
        right += chances.index(max(chances)) == digit
    return right / len(images)


# --- sharing weights ---------------------------------------------------------------------------------------------


def send(file, message):
    file.write(json.dumps(message).encode() + b"\n")
    file.flush()


def receive(file):
    line = file.readline()
    if not line:
        raise ConnectionError("the other side closed the connection")
    return json.loads(line)


class Parameters:
    """The weights that all workers share."""

    def __init__(self, workers):
        self.weights = new_weights()
        self.lock = threading.Lock()
        self.workers = workers
        self.done = set()
        self.finished = threading.Event()

    def add(self, change):
        with self.lock:
            for row, other in zip(self.weights, change):
                for index, value in enumerate(other):
                    # Each worker saw its share of the data: together they make one step, not one each.
                    row[index] += value / self.workers
            return [list(row) for row in self.weights]

    def read(self):
        with self.lock:
            return [list(row) for row in self.weights]

    def end(self, name):
        with self.lock:
            self.done.add(name)
            say("ps: %s is done (%d of %d)" % (name, len(self.done), self.workers))
            if len(self.done) >= self.workers:
                self.finished.set()


class Serve(socketserver.StreamRequestHandler):
    def handle(self):
        parameters = self.server.parameters
        try:
            while True:
                message = receive(self.rfile)
                if message["kind"] == "done":
                    parameters.end(message["name"])
                    return
                weights = parameters.add(message["change"]) if message["kind"] == "add" else parameters.read()
                send(self.wfile, weights)
        except ConnectionError:
            return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve_parameters(role):
    host, port = role.address("ps", role.index)
    parameters = Parameters(len(role.trainers))
    try:
        server = Server((host, port), Serve)
    except OSError:
        # The name is that of a service in front of this pod, not of the pod itself.
        server = Server(("", port), Serve)
    server.parameters = parameters
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say("ps: keeping the weights for %d workers on port %d" % (parameters.workers, port))
    while not parameters.finished.wait(0.5):
        if stop_asked.is_set():
            raise Stopped()
    server.shutdown()
    say("ps: all workers are done")


class Connection:
    """A worker's line to the parameter server. Several servers share nothing: the first one keeps all weights."""

    def __init__(self, role):
        self.role = role
        host, port = role.address("ps", 0)
        give_up_at = time.monotonic() + 120
        while True:
            try:
                self.socket = socket.create_connection((host, port), timeout=30)
                break
            except OSError as error:
                if stop_asked.is_set():
                    raise Stopped()
                if time.monotonic() > give_up_at:
                    raise SystemExit("no parameter server at %s:%d: %s" % (host, port, error))
                time.sleep(0.5)
        self.file = self.socket.makefile("rwb")

    def ask(self, message):
        send(self.file, message)
        return receive(self.file)

    def exchange(self, weights, before):
        """Tells what was learnt since `before`; gives the shared weights."""
        change = [[new - old for new, old in zip(*rows)] for rows in zip(weights, before)]
        return self.ask({"kind": "add", "change": change})

    def finish(self):
        send(self.file, {"kind": "done", "name": self.role.name})
        self.socket.close()


# --- roles -------------------------------------------------------------------------------------------------------


class Role:
    """Who this process is in the job, as TF_CONFIG says."""

    def __init__(self, text):
        config = json.loads(text or "{}")
        self.cluster = config.get("cluster") or {}
        task = config.get("task") or {}
        self.type = task.get("type") or "alone"
        self.index = int(task.get("index") or 0)
        self.name = "%s-%d" % (self.type, self.index)
        self.trainers = [
            "%s-%d" % (kind, index)
            for kind in ("chief", "master", "worker")
            for index in range(len(self.cluster.get(kind, [])))
        ]

    @property
    def has_server(self):
        return bool(self.cluster.get("ps"))

    @property
    def share(self):
        """Which part of the data, of how many."""
        if self.has_server and self.name in self.trainers:
            return self.trainers.index(self.name), len(self.trainers)
        return 0, 1

    def address(self, kind, index):
        host, _, port = self.cluster[kind][index].rpartition(":")
        return host, int(port)


stop_asked = threading.Event()


def train(role, options, images):
    test = images[::TEST_EVERY]
    part, parts = role.share
    training = [image for number, image in enumerate(images) if number % TEST_EVERY][part::parts]
    say("%s: %d images to learn from, %d to test with" % (role.name, len(training), len(test)))
    connection = Connection(role) if role.has_server else None
    weights = connection.ask({"kind": "read"}) if connection else new_weights()
    before = [list(row) for row in weights]
    chance = random.Random(options.seed + part)
    started = time.monotonic()
    losses = []
    for step in range(1, options.max_steps + 1):
        if stop_asked.is_set():
            say("%s: stopped at step %d" % (role.name, step - 1))
            raise Stopped()
        losses.append(train_step(weights, chance.choices(training, k=options.batch_size), options.learning_rate))
        if connection and (step % EXCHANGE_EVERY == 0 or step == options.max_steps):
            weights = connection.exchange(weights, before)
            before = [list(row) for row in weights]
        if step == 1 or step % options.log_every == 0 or step == options.max_steps:
            say(
                "step %d: loss %.4f, test accuracy %.2f %% (%.1f s)"
                % (step, sum(losses) / len(losses), 100 * accuracy(weights, test), time.monotonic() - started)
            )
            losses = []
    if connection:
        connection.finish()
    result = accuracy(weights, test)
    if options.log_dir and role.type in ("alone", "chief", "master") or options.log_dir and role.index == 0:
        os.makedirs(options.log_dir, exist_ok=True)
        path = os.path.join(options.log_dir, "weights-%s.json" % role.name)
        with open(path, "w") as file:
            json.dump(weights, file)
        say("%s: weights saved in %s" % (role.name, path))
    say("%s: finished after %d steps with test accuracy %.2f %%" % (role.name, options.max_steps, 100 * result))


def evaluate(role, images):
    if not role.has_server:
        say("evaluator: without a parameter server there are no shared weights to look at")
        return
    connection = Connection(role)
    test = images[::TEST_EVERY]
    try:
        while not stop_asked.wait(2):
            weights = connection.ask({"kind": "read"})
            say("evaluator: test accuracy %.2f %%" % (100 * accuracy(weights, test)))
    except (ConnectionError, OSError):
        say("evaluator: the parameter server has ended")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", default=os.path.join(os.path.dirname(__file__), "../../../data"))
    parser.add_argument("--log_dir", default="", help="where to keep the weights at the end")
    parser.add_argument("--max_steps", type=int, default=1000)
    parser.add_argument("--learning_rate", type=float, default=0.1)
    parser.add_argument("--batch_size", type=int, default=20)
    parser.add_argument("--log_every", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options, unknown = parser.parse_known_args()
    if unknown:
        say("flags that mean nothing here: %s" % " ".join(unknown))
    signal.signal(signal.SIGTERM, lambda number, frame: stop_asked.set())
    role = Role(os.environ.get("TF_CONFIG"))
    devices = os.environ.get("CUDA_VISIBLE_DEVICES") or "none"
    say("role %s on %s, GPUs given: %s" % (role.name, socket.gethostname(), devices))
    try:
        if role.type == "ps":
            serve_parameters(role)
            return
        try:
            images = read_digits(options.data_dir)
        except OSError as error:
            raise SystemExit("no training data in --data_dir=%s: %s" % (options.data_dir, error))
        if role.type == "evaluator":
            evaluate(role, images)
        else:
            train(role, options, images)
    except Stopped:
        say("%s: asked to end" % role.name)
        sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
