"""The embedded broker: messages appear whole, go to one worker, and a deleted folder is no trouble."""

import shutil
from queue import Empty

import pytest
from kombu import Connection

from maira_web import celery


@pytest.fixture
def channel(tmp_path):
    folder = str(tmp_path / "broker")
    options = {"data_folder_in": folder, "data_folder_out": folder}
    with Connection("localhost", transport=celery.TRANSPORT, transport_options=options) as connection:
        yield connection.default_channel


def test_messages_come_back_in_order_and_once(channel):
    for number in range(3):
        channel._put("io", {"number": number})
    assert channel._size("io") == 3
    assert [channel._get("io")["number"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("io")


def test_a_queue_sees_its_own_messages_only(channel):
    channel._put("inference", {"number": 1})
    with pytest.raises(Empty):
        channel._get("io")
    assert channel._get("inference") == {"number": 1}


def test_a_message_that_is_still_being_written_is_not_seen(channel):
    channel._put("io", {"number": 1})
    (path,) = channel.folder.iterdir()
    path.rename(path.with_suffix(".part"))
    with pytest.raises(Empty):
        channel._get("io")


def test_a_deleted_folder_is_made_again(channel):
    channel._put("io", {"number": 1})
    shutil.rmtree(channel.folder)
    with pytest.raises(Empty):
        channel._get("io")
    channel._put("io", {"number": 2})
    assert channel._get("io") == {"number": 2}


def test_tasks_go_to_their_queues(settings):
    router = celery.app.amqp.router
    assert router.route({}, "review.tasks.generate_draft")["queue"].name == "inference"
    assert router.route({}, "review.tasks.explain_draft")["queue"].name == "inference"
    assert router.route({}, "review.tasks.ingest")["queue"].name == "io"
    assert router.route({}, "review.tasks.build_dataset")["queue"].name == "io"


def test_every_task_has_a_time_limit_and_is_acknowledged_late():
    celery.app.loader.import_default_modules()
    tasks = [task for name, task in celery.app.tasks.items() if name.startswith("review.")]
    assert tasks
    assert all(task.time_limit and task.acks_late and task.reject_on_worker_lost for task in tasks)
    for name in ("generate_draft", "explain_draft"):
        assert celery.app.tasks[f"review.tasks.{name}"].time_limit == celery.QUEUES["inference"]
