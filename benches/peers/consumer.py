"""The plain way to forward uploads to XAI: aiokafka and aiohttp. It shows each event, looks the model
up, sends the trigger, waits for it, and commits; AT_ONCE events together, which is one where nothing
else is asked for. It retries nothing and keeps no poison, which makes it a fast peer."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

API = os.environ["DWCTL_API_URL"]
BROKERS = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
UPLOADS = os.environ["KAFKA_AUTOML_TOPIC"]
TRIGGERS = os.environ["KAFKA_XAI_TOPIC"]
GROUP = os.environ["KAFKA_CONSUMER_GROUP"]
AT_ONCE = int(os.environ.get("AT_ONCE", "1"))
COUNT = int(os.environ.get("COUNT", "0"))


def show(record, event):
    shown = json.dumps(event, indent=2)
    print(
        "AutoML Message received\n"
        f"  Partition={record.partition} Offset={record.offset}\n"
        f"  Key={record.key.decode()}\n"
        f"  Event={shown}"
    )


async def look_up(session, event):
    path = f"{API}/ai-models/{event['user_id']}/{event['model_id']}"
    async with session.get(path, params={"version": event["version"]}) as reply:
        reply.raise_for_status()
        return await reply.json()


def trigger(event, model):
    now = datetime.now(UTC).replace(tzinfo=None)
    return {
        "event_type": "xai.trigger",
        "event_id": f"xai_trigger_{event['model_id']}_{int(now.timestamp())}",
        "timestamp": now.isoformat(),
        "user_id": event["user_id"],
        "model_id": event["model_id"],
        "dataset_id": event["dataset_id"],
        "version": model["version"],
        "framework": model["framework"],
        "model_type": model["model_type"],
        "source_event": event["event_type"],
    }


async def forward(session, producer, records):
    events = [json.loads(record.value) for record in records]
    for record, event in zip(records, events):
        show(record, event)
    models = await asyncio.gather(*(look_up(session, event) for event in events))
    sent = []
    for record, event, model in zip(records, events, models):
        value = json.dumps(trigger(event, model)).encode()
        sent.append(await producer.send(TRIGGERS, value, key=record.key))
    for record, place in zip(records, await asyncio.gather(*sent)):
        print(
            f"{record.topic}[{record.partition}]@{record.offset}: sent xai.trigger to "
            f"{place.topic}[{place.partition}]@{place.offset}",
            file=sys.stderr,
        )


async def main():
    consumer = AIOKafkaConsumer(
        UPLOADS,
        bootstrap_servers=BROKERS,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=BROKERS, acks="all")
    await consumer.start()
    await producer.start()
    done = 0
    try:
        async with ClientSession() as session:
            while COUNT == 0 or done < COUNT:
                batches = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
                records = [record for batch in batches.values() for record in batch]
                if not records:
                    continue
                await forward(session, producer, records)
                await consumer.commit(
                    {
                        TopicPartition(record.topic, record.partition): record.offset + 1
                        for record in records
                    }
                )
                done += len(records)
    finally:
        await producer.stop()
        await consumer.stop()


asyncio.run(main())
