/* SPDX-License-Identifier: MIT */
/* A bounded queue of batches of blocks. */
#include "queue.h"

void queue_init(struct queue *queue)
{
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	pthread_cond_init(&queue->emptied, NULL);
	queue->first = 0;
	queue->count = 0;
}

void queue_put(struct queue *queue, const struct batch *batch)
{
	unsigned int place;

	pthread_mutex_lock(&queue->lock);
	while (queue->count == QUEUE_BATCHES)
		pthread_cond_wait(&queue->emptied, &queue->lock);
	place = (queue->first + queue->count) % QUEUE_BATCHES;
	queue->batches[place] = *batch;
	queue->count++;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

void queue_get(struct queue *queue, struct batch *ret_batch)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == 0)
		pthread_cond_wait(&queue->filled, &queue->lock);
	*ret_batch = queue->batches[queue->first];
	queue->first = (queue->first + 1) % QUEUE_BATCHES;
	queue->count--;
	pthread_cond_signal(&queue->emptied);
	pthread_mutex_unlock(&queue->lock);
}
