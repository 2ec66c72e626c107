"""The files for containers and the proxy can be read, and every variable, port and path in them is one of the code."""

import re
import shutil
import subprocess
import tomllib
from itertools import pairwise

import pytest
import yaml
from replica_set import need_haproxy
from served import ROOT

from viz.server import launch, replica
from viz.server.deploy import proxy, replicas

DEPLOY = ROOT / "viz/server/deploy"
PORT = 8501
OF_OTHERS = {"FORWARDED_ALLOW_IPS"}  # uvicorn reads it
OF_PEOPLE = {"ATTENTION_LAB_COOKIE_SECRET"}  # compose.yaml asks for it and hands it on under Streamlit's name
OF_THE_IMAGE = {"PYTHONDONTWRITEBYTECODE", "HOME"}


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def kubernetes() -> list[dict]:
    return list(yaml.safe_load_all(text_of("kubernetes.yaml")))


def compose() -> dict:
    return yaml.safe_load(text_of("compose.yaml"))


def objects(kind: str) -> dict[str, dict]:
    return {entry["metadata"]["name"]: entry["spec"] for entry in kubernetes() if entry["kind"] == kind}


def container(deployment: str) -> dict:
    (only,) = objects("Deployment")[deployment]["template"]["spec"]["containers"]
    return only


def environment_in_files() -> set[str]:
    services = compose()["services"].values()
    named = {name for service in services for name in service.get("environment", {})}
    named |= {entry["name"] for name in objects("Deployment") for entry in container(name).get("env", ())}
    named |= set(re.findall(r"(\w+)=", " ".join(re.findall(r"^ENV (.*)", text_of("Containerfile"), re.MULTILINE))))
    named |= set(re.findall(r"\$\{(\w+)", text_of("haproxy.cfg") + text_of("compose.yaml")))
    return named


def test_every_variable_of_the_environment_is_read_by_the_code():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "viz").glob("**/*.py"))
    known = set(re.findall(r'"(ATTENTION_LAB_\w+)"', code)) | {launch.variable(replicas.COOKIE_SECRET)}
    assert len(environment_in_files()) > 6
    assert environment_in_files() - OF_OTHERS - OF_PEOPLE - OF_THE_IMAGE <= known


def test_a_container_is_a_replica_and_waits_until_it_is_ready():
    assert f"{replica.NAME}=" in text_of("Containerfile")
    assert "/_stcore/health'" in re.search(r"HEALTHCHECK(.|\n)*?\nCMD", text_of("Containerfile"))[0]
    lab = container("lab")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert lab[probe]["httpGet"] == {"path": "/_stcore/health", "port": PORT}
    assert compose()["services"]["proxy"]["depends_on"]["lab"]["condition"] == "service_healthy"
    assert " uri /_stcore/health ver " in text_of("haproxy.cfg")


def test_all_replicas_have_one_secret_and_one_redis():
    secret = launch.variable(replicas.COOKIE_SECRET)
    assert secret in compose()["services"]["lab"]["environment"]
    assert secret in {entry["name"] for entry in container("lab")["env"]}
    assert replicas.shared_environment("0.0.0.0", 2)[secret] != replicas.shared_environment("0.0.0.0", 2)[secret]
    of_pod = {entry["name"]: entry.get("value") for entry in container("lab")["env"]}
    for variables in (compose()["services"]["lab"]["environment"], of_pod):
        assert variables["ATTENTION_LAB_REDIS"] == "redis://redis:6379"
    assert "redis" in compose()["services"] and objects("Service")["redis"]["ports"] == [{"port": 6379}]


def test_every_port_leads_to_a_replica_through_the_proxy():
    assert f'"{PORT}"' in text_of("Containerfile") and f"EXPOSE {PORT}" in text_of("Containerfile")
    services = compose()["services"]
    assert services["proxy"]["ports"] == [f"{PORT}:{PORT}"]
    assert "ports" not in services["lab"] and "ports" not in services["redis"]
    proxies = (services["proxy"]["environment"], {e["name"]: e["value"] for e in container("proxy")["env"]})
    for variables in proxies:
        assert variables == {proxy.BIND: f"*:{PORT}", proxy.SERVICE: f"lab:{PORT}"}
    assert objects("Service")["lab"] == {"clusterIP": "None", "selector": {"app": "lab"}, "ports": [{"port": PORT}]}
    (rule,) = objects("Ingress")["lab"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "proxy", "port": {"number": PORT}}
    for deployment in objects("Deployment").values():
        assert deployment["selector"]["matchLabels"] == deployment["template"]["metadata"]["labels"]


def test_no_container_is_root_writes_files_or_reaches_another_machine():
    assert re.search(r"^USER [1-9]", text_of("Containerfile"), re.MULTILINE)
    for name, service in compose()["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
    assert compose()["networks"]["inside"]["internal"] is True
    assert {name: service["networks"] for name, service in compose()["services"].items()} == {
        "lab": ["inside"], "redis": ["inside"], "proxy": ["inside", "outside"]
    }  # fmt: skip
    for name in objects("Deployment"):
        assert objects("Deployment")[name]["template"]["spec"]["securityContext"]["runAsNonRoot"], name
        security = container(name)["securityContext"]
        assert security["readOnlyRootFilesystem"] and security["capabilities"]["drop"] == ["ALL"], name
    assert "Egress" in objects("NetworkPolicy")["lab"]["policyTypes"]


def test_what_the_image_copies_is_there_and_what_pip_installs_is_an_extra_of_the_lab():
    for line in re.findall(r"^COPY (?!--)(.*) \S+$", text_of("Containerfile"), re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split()), line
    extras = re.search(r'"\.\[(.*)\]"', text_of("Containerfile"))[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(extras) <= project["project"]["optional-dependencies"].keys()
    assert set(compose()["services"]["lab"]["build"]) == {"context", "dockerfile"}
    assert (DEPLOY / compose()["services"]["lab"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / compose()["services"]["lab"]["build"]["dockerfile"]).is_file()


# The proxy


def test_the_proxy_has_a_server_for_each_replica_and_nothing_else_differs():
    template, filled = text_of("haproxy.cfg").splitlines(), proxy.configuration([7001, 7002]).splitlines()
    assert [line for line in filled if line not in template] == [
        "    server replica1 127.0.0.1:7001", "    server replica2 127.0.0.1:7002"
    ]  # fmt: skip
    assert len([line for line in template if line not in filled]) == 1


def test_what_an_operator_relies_on_is_in_the_file():
    text = text_of("haproxy.cfg")
    for line in (
        "cookie attention-lab-replica insert indirect nocache httponly dynamic",
        "timeout tunnel 2h",
        "option http-no-delay",
        "set-header X-Forwarded-For %[src]",
        "path_sub /_stcore/metrics",
    ):
        assert line in text
    assert f"server-template replica 1-{proxy.MOST_IN_CONTAINERS} " in text
    assert max(deployment["replicas"] for deployment in objects("Deployment").values()) <= proxy.MOST_IN_CONTAINERS


@pytest.mark.parametrize("service", [None, "lab:8501"])
def test_haproxy_reads_the_file_on_this_machine_and_in_a_container(service, tmp_path):
    need_haproxy()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text_of("haproxy.cfg") if service else proxy.configuration([7001, 7002]), encoding="utf-8")
    variables = {**proxy.environment("127.0.0.1", 18999), **({proxy.SERVICE: service} if service else {})}
    done = subprocess.run([proxy.executable(), "-c", "-f", str(file)], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_a_machine_without_haproxy_is_answered_in_one_sentence(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="Install it: apt install haproxy"):
        replicas.serve(2, [])


# The command


def test_address_and_port_are_those_of_the_proxy_and_other_options_those_of_each_replica(monkeypatch):
    started = []
    monkeypatch.setattr(replicas.Replicas, "serve", lambda self: started.append(self) or 0)
    options = ["--server.address", "0.0.0.0", "--server.port=9000", "--server.maxUploadSize", "5", "--lessons", "mine"]
    assert replicas.serve(3, options) == 0
    (lab,) = started
    assert (lab.address, lab.port, len(set(lab.ports))) == ("0.0.0.0", 9000, 3)
    for child, port in zip(lab.replicas, lab.ports, strict=True):
        words = " ".join(child.command)
        assert f"--server.address 127.0.0.1 --server.port {port}" in words
        assert "--server.maxUploadSize 5" in words and words.endswith("-- --lessons mine")
        assert child.environment[replica.PROXY] == "0.0.0.0"
    assert [child.environment[replica.NAME] for child in lab.replicas] == ["1", "2", "3"]


@pytest.mark.parametrize(("count", "options"), [(0, []), (65, []), (2, ["--server.port", "x"])])
def test_a_number_that_means_nothing_is_refused_in_a_sentence(count, options):
    with pytest.raises(SystemExit, match="starts 1 to 64 replicas"):
        replicas.serve(count, options)


def test_each_replica_has_its_share_of_the_memory_and_a_port_of_its_own_for_prometheus(monkeypatch):
    monkeypatch.setattr("viz.cache_limit.limit", lambda: 800_000_000)
    assert replicas.shared_environment("127.0.0.1", 4)["ATTENTION_LAB_CACHE_MB"] == "200"
    monkeypatch.setenv("ATTENTION_LAB_METRICS", "9100")
    assert replicas.own_environment(3)["ATTENTION_LAB_METRICS"] == "127.0.0.1:9102"


def test_a_line_says_where_classes_live_without_redis(monkeypatch):
    lab = replicas.Replicas(2, "127.0.0.1", 9000, [])
    monkeypatch.delenv("ATTENTION_LAB_REDIS", raising=False)
    assert replicas.ONE_REPLICA_CLASSES in lab.lines()
    monkeypatch.setenv("ATTENTION_LAB_REDIS", "redis://127.0.0.1:6379")
    assert replicas.ONE_REPLICA_CLASSES not in lab.lines()
    assert "  2 replicas are ready." in lab.lines()


def test_a_process_that_ends_again_and_again_is_started_less_and_less_often(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(replicas.time, "monotonic", lambda: now[0])
    child = replicas.Child("Replica 1", ["false"], {})
    starts = []
    monkeypatch.setattr(replicas.Child, "start", lambda self: starts.append(now[0]) or setattr(self, "started", now[0]))
    monkeypatch.setattr(replicas.Child, "has_ended", True)
    for step in range(200):
        now[0] = step / 2
        child.start_again()
    pauses = [round(later - earlier, 1) for earlier, later in pairwise(starts)]
    assert pauses[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert max(pauses) <= replicas.LONGEST_PAUSE
