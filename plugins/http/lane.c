/* lane.c: the lanes of an instance. The last one given back is the first one taken: its connection is the warmest. */
#include "plugins/http/connector.h"

static void close_lane(pawl_http_lane *lane)
{
    if (lane == NULL)
        return;
    if (lane->easy != NULL)
        curl_easy_cleanup(lane->easy);
    if (lane->multi != NULL)
        curl_multi_cleanup(lane->multi);
    free(lane);
}

pawl_http_lane *pawl_http_lane_take(pawl_connector *connector)
{
    pthread_mutex_lock(&connector->lock);
    pawl_http_lane *lane = connector->idle;
    if (lane != NULL) {
        connector->idle = lane->next;
        connector->idle_count--;
    }
    pthread_mutex_unlock(&connector->lock);
    if (lane != NULL)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->multi = curl_multi_init();
    lane->easy = curl_easy_init();
    if (lane->multi == NULL || lane->easy == NULL) {
        close_lane(lane);
        return NULL;
    }
    (void)curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, 2L);
    return lane;
}

void pawl_http_lane_give(pawl_connector *connector, pawl_http_lane *lane)
{
    curl_easy_reset(lane->easy); /* keeps the connections, drops every option and what it pointed to */
    pthread_mutex_lock(&connector->lock);
    bool keep = connector->idle_count < PAWL_HTTP_IDLE_LANES_MAX;
    if (keep) {
        lane->next = connector->idle;
        connector->idle = lane;
        connector->idle_count++;
    }
    pthread_mutex_unlock(&connector->lock);
    if (!keep)
        close_lane(lane);
}

void pawl_http_lanes_close(pawl_connector *connector)
{
    while (connector->idle != NULL) {
        pawl_http_lane *lane = connector->idle;
        connector->idle = lane->next;
        close_lane(lane);
    }
}
